import type { ObjectMemory } from "./object-memory.ts";
import type { Again, Outcome } from "./outcome.ts";
import type { Failure } from "./run-steps.ts";

/** Seconds until the next look at something that has failed for so many seconds with the same reason. */
export type BackOff = (failingSeconds: number) => number;

/** Of a kind that gives none: a second at first, then as long as it has lasted, a minute at most. */
export const defaultBackOff: BackOff = (failingSeconds) => Math.min(60, Math.max(1, failingSeconds));

type Failing = Pick<ObjectMemory, "failing">;

/** What the back-off comes to for this reason now; its first wait when it has failed with another reason, or not at all. */
export function backOffSeconds({ failing }: Failing, reason: string, nowMs: number, backOff: BackOff): number {
  return backOff(failing?.reason === reason ? (nowMs - failing.sinceMs) / 1000 : 0);
}

/**
 * Keeps since when the back-off has been asked for with this reason. Other outcomes in between change nothing: a pod that fails
 * again and again is starting in between. Only a run in which every step is done ends it.
 */
export function noteFailing(memory: Failing, outcome: Outcome | Failure, nowMs: number): void {
  if (outcome.kind === "done") memory.failing = undefined;
  else if (asksBackOff(outcome) && memory.failing?.reason !== outcome.reason)
    memory.failing = { reason: outcome.reason, sinceMs: nowMs };
}

const asksBackOff = (outcome: Outcome | Failure): boolean =>
  "again" in outcome && outcome.again !== undefined && "backOff" in outcome.again;

/** The earliest look that any of these outcomes of one run asks for; undefined: only a watch leads to the next. */
export function lookAgainSeconds(
  outcomes: readonly (Outcome | Failure)[],
  backOffOf: (reason: string) => number,
): number | undefined {
  const asked = outcomes.flatMap((outcome) =>
    "again" in outcome && outcome.again !== undefined ? [secondsOf(outcome.again, outcome.reason ?? "", backOffOf)] : [],
  );
  return asked.length === 0 ? undefined : Math.min(...asked);
}

function secondsOf(again: Again, reason: string, backOffOf: (reason: string) => number): number {
  return "backOff" in again ? Math.min(backOffOf(reason), again.mostSeconds ?? Infinity) : again.recheckSeconds;
}
