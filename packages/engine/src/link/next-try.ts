export interface Linking {
  readonly linked: boolean;
  /** The last snapshot failed. */
  readonly failed: boolean;
  /** Attempts since the last success. */
  readonly tries: number;
  /** When the newest snapshot was made; 0: never. */
  readonly newestMs: number;
  /** When the last attempt ended; 0: never. */
  readonly lastTryMs: number;
  readonly intervalSeconds: number | undefined;
}

const firstPauseMs = 2_000;
const longestPauseMs = 15_000;

/** When the next snapshot of a declared dSource is to be taken; undefined: not without being asked. */
export function nextTry({ linked, failed, tries, newestMs, lastTryMs, intervalSeconds }: Linking): number | undefined {
  const wanted = linked ? (intervalSeconds === undefined ? undefined : newestMs + intervalSeconds * 1000) : 0;
  if (wanted === undefined || !failed) return wanted;
  const pauseMs = Math.min(firstPauseMs * 2 ** Math.max(tries - 1, 0), longestPauseMs);
  return Math.max(wanted, lastTryMs + pauseMs);
}
