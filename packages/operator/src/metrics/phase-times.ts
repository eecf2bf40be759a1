import type { CacheEvent, KubeObject } from "kube-runtime";

/** An object that has a phase. */
export type Phased = KubeObject & { readonly status: { readonly phase: string } };

/** An object stays in these as long as somebody wants it to: how long says nothing about the operator. */
const resting: ReadonlySet<string> = new Set(["Ready", "Stopped", "Completed", "Error"]);
export const isResting = (phase: string): boolean => resting.has(phase);

export interface PhaseTimes {
  readonly on: (event: CacheEvent<Phased>) => void;
}

/**
 * Tells how long each object was in a phase that it has left. A phase that began before this process saw the object is not told:
 * nobody knows when it began. `now`: monotonic milliseconds.
 */
export function phaseTimes(now: () => number, tell: (phase: string, seconds: number) => void): PhaseTimes {
  const known = new Map<string, { readonly phase: string; readonly sinceMs: number | undefined }>();
  const leave = (uid: string): void => {
    const { phase, sinceMs } = known.get(uid) ?? { phase: "", sinceMs: undefined };
    if (sinceMs !== undefined && !isResting(phase)) tell(phase, (now() - sinceMs) / 1000);
  };
  return {
    on: (event) => {
      const { metadata, status } = event.object;
      const { uid } = metadata;
      if (event.type !== "deleted" && known.get(uid)?.phase === status.phase) return;
      leave(uid);
      if (event.type === "deleted") known.delete(uid);
      else known.set(uid, { phase: status.phase, sinceMs: event.type === "added" && event.initial ? undefined : now() });
    },
  };
}
