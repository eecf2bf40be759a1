export interface Linking {
  readonly linked: boolean;
  /** The last snapshot failed, and nothing that it depends on has changed since. */
  readonly failed: boolean;
  /** Attempts since the last success. */
  readonly tries: number;
  /** When the newest snapshot was made; 0: never. */
  readonly newestMs: number;
  /** When the last attempt ended; 0: never. */
  readonly lastTryMs: number;
  /** For how long the last attempt had been reading from the source when it ended; undefined: it did not get that far. */
  readonly copiedMs: number | undefined;
  readonly intervalSeconds: number | undefined;
}

const firstPauseMs = 2_000;
const longestPauseMs = 15_000;
const longestPauseAfterCopyMs = 3_600_000;

/** When the next snapshot of a declared dSource is to be taken; undefined: not without being asked. */
export function nextTry({ linked, failed, tries, newestMs, lastTryMs, copiedMs, intervalSeconds }: Linking): number | undefined {
  const wanted = linked ? (intervalSeconds === undefined ? undefined : newestMs + intervalSeconds * 1000) : 0;
  if (wanted === undefined || !failed) return wanted;
  return Math.max(wanted, lastTryMs + pauseMs(tries, copiedMs));
}

/** A failure before the copy costs nobody anything; each one after it has read production once. */
function pauseMs(tries: number, copiedMs: number | undefined): number {
  const growth = 2 ** Math.max(tries - 1, 0);
  if (copiedMs === undefined) return Math.min(firstPauseMs * growth, longestPauseMs);
  return Math.min(Math.max(copiedMs, longestPauseMs) * growth, longestPauseAfterCopyMs);
}
