import type { ScheduleStatus } from "@vdb/api";

/** Why a time passes without an action. */
export type Skipped = Pick<NonNullable<ScheduleStatus["skipped"]>, "reason" | "message">;
export const skipped = (reason: Skipped["reason"], message: string): Skipped => ({ reason, message });

/** The times of a schedule, in milliseconds. */
export interface Times {
  /** The last one at or before a moment. */
  readonly last: (atMs: number) => number | undefined;
  /** The first one after a moment. */
  readonly next: (afterMs: number) => number | undefined;
}

export interface Situation {
  readonly nowMs: number;
  /** Until when its times are dealt with; undefined: it is new, or was edited. Only later times count. */
  readonly doneMs: number | undefined;
  readonly suspend: boolean;
  /** Undefined: an action may begin however late. */
  readonly deadlineMs: number | undefined;
  /** Whether an action of this schedule has not ended. */
  readonly isAtWork: boolean;
  /** Why no action can begin now; undefined: one can. */
  readonly unfit: Skipped | undefined;
}

/**
 * What is due. `doneMs`: what the status has to say from now on.
 * - nothing: until the next time.
 * - waits: its time has come, and its last action has not ended.
 * - skip: its time passes without an action.
 * - begin: an action for that time.
 */
export type Due = { readonly doneMs: number; readonly nextMs: number | undefined } & (
  | { readonly kind: "nothing" | "waits" }
  | { readonly kind: "skip"; readonly timeMs: number; readonly skipped: Skipped }
  | { readonly kind: "begin"; readonly timeMs: number }
);

/** A clock that is set back by less is waited for: so no time comes twice. By more it had been wrong: to wait would be worse. */
export const longestWaitMs = 86_400_000;

/** Pure. A CronJob's semantics with concurrencyPolicy Forbid: of all times that were missed the last alone may still begin. */
export function dueOf(times: Times, { nowMs, doneMs: known = nowMs, suspend, deadlineMs, isAtWork, unfit }: Situation): Due {
  const doneMs = known - nowMs > longestWaitMs ? nowMs : known;
  const nextMs = suspend ? undefined : times.next(Math.max(nowMs, doneMs));
  const timeMs = suspend ? undefined : times.last(nowMs);
  if (timeMs === undefined || timeMs <= doneMs) return { kind: "nothing", doneMs, nextMs };
  if (deadlineMs !== undefined && nowMs - timeMs > deadlineMs) {
    const late = Math.round((nowMs - timeMs) / 1000);
    const why = skipped("DeadlineMissed", `it is ${late} s late, and startingDeadlineSeconds is ${deadlineMs / 1000}`);
    return { kind: "skip", doneMs: timeMs, nextMs, timeMs, skipped: why };
  }
  if (isAtWork) return { kind: "waits", doneMs, nextMs };
  if (unfit !== undefined) return { kind: "skip", doneMs: timeMs, nextMs, timeMs, skipped: unfit };
  return { kind: "begin", doneMs: timeMs, nextMs, timeMs };
}

/** The name of the action for a time: the same whoever makes it, so that it is never made twice. */
export const scheduledName = (vdb: string, schedule: string, timeMs: number): string =>
  `${vdb}-${schedule}-${new Date(timeMs).toISOString().slice(0, 16).replaceAll(/[-:]/gu, "").replace("T", "-")}`;

/** Pure: of all that have ended, those beyond `history`. The name sorts by time; one of a time to come stays until that has come. */
export function beyondHistory<T extends { readonly timeMs: number }>(
  ended: readonly T[],
  history: number,
  nowMs: number,
): readonly T[] {
  return ended
    .filter(({ timeMs }) => timeMs <= nowMs)
    .toSorted((a, b) => b.timeMs - a.timeMs)
    .slice(history);
}
