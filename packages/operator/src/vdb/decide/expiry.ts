import { expiryTimeMs, type PostgresVDB } from "@vdb/api";

/**
 * What is due for a database by `spec.expiry`.
 * - never: it has none.
 * - later: nothing before so many seconds have passed, when it is announced.
 * - announced: told of now and until it is due.
 * - due: its time has passed, and it was told of long enough before.
 */
export type Expiry =
  | { readonly kind: "never" }
  | { readonly kind: "later"; readonly timeMs: number; readonly seconds: number }
  | {
      readonly kind: "announced";
      readonly timeMs: number;
      readonly seconds: number;
      readonly isKnown: boolean;
      readonly staysStopped: boolean;
    }
  | { readonly kind: "due"; readonly timeMs: number };

/** How long a database is told of before it expires, however late the operator comes to it. */
const leastMs = 5 * 60_000;

/**
 * Pure. The announcement that counts is the stored one, and only for the same moment and deed: after an edit, a jump of the clock or a
 * time without an operator it is made anew, and nothing happens at once. What is stopped stays so until it is renewed.
 */
export function expiryOf(vdb: PostgresVDB, { nowMs, noticeMs }: { readonly nowMs: number; readonly noticeMs: number }): Expiry {
  const timeMs = expiryTimeMs(vdb);
  if (timeMs === undefined) return { kind: "never" };
  const fromMs = timeMs - noticeMs;
  if (nowMs < fromMs) return { kind: "later", timeMs, seconds: (fromMs - nowMs) / 1000 };
  const { time = "", action, announcedTime = "", stoppedTime } = vdb.status.expiry ?? {};
  const isSame = Date.parse(time) === timeMs;
  const staysStopped = stoppedTime !== undefined && (isSame || nowMs >= timeMs);
  if (staysStopped && vdb.spec.expiry?.action === "Stop") return { kind: "due", timeMs };
  const isKnown = isSame && action === vdb.spec.expiry?.action && announcedTime !== "";
  const announcedMs = isKnown ? Math.min(Date.parse(announcedTime), nowMs) : nowMs;
  const dueMs = Math.max(timeMs, announcedMs + Math.min(noticeMs, leastMs));
  return nowMs < dueMs
    ? { kind: "announced", timeMs, seconds: (dueMs - nowMs) / 1000, isKnown, staysStopped }
    : { kind: "due", timeMs };
}
