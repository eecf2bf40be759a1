import { createHash } from "node:crypto";
import type { PostgresVDB, PostgresVDBStatus, VdbContent, VdbHold } from "@vdb/api";

/**
 * How far a database comes up.
 * - asDeclared: nobody works on it.
 * - asItRuns: an action does, and asks nothing of it: it stays up or down as it is, and its pod is not replaced.
 * - stopped: no pod, the gate shut, detached.
 * - beforeHooks: the server answers behind the shut gate; beforeOpen: its hooks have run too.
 */
export type Course = "asDeclared" | "asItRuns" | Exclude<VdbHold, "none">;

/** Pure. */
export function courseOf({ status }: Pick<PostgresVDB, "status">): Course {
  const { activeAction } = status;
  if (activeAction === undefined) return "asDeclared";
  const { hold = "none" } = activeAction;
  return hold === "none" ? "asItRuns" : hold;
}

/** Pure: whether clients are kept out, whatever the data that is there was opened for. */
export const keepsGateShut = (course: Course): boolean => course !== "asDeclared" && course !== "asItRuns";

export interface Running {
  /** spec.enabled. */
  readonly enabled: boolean;
  /** Whether its Deployment asks for a pod. */
  readonly runs: boolean;
  /** Whether its present data was opened. */
  readonly wasOpened: boolean;
}

/**
 * Pure: whether it is to run. One that is held on its way up is proven, enabled or not; then one that is disabled stops again, and
 * lets nobody in. While an action works on one in service, a change of spec.enabled to false waits.
 */
export function isToRun(course: Course, { enabled, runs, wasOpened }: Running): boolean {
  switch (course) {
    case "asDeclared":
      return enabled;
    case "asItRuns":
      return enabled || (runs && wasOpened);
    case "stopped":
      return false;
    case "beforeHooks":
    case "beforeOpen":
      return true;
    default:
      return course satisfies never;
  }
}

/** `trouble`: why the database cannot get to where it is to be held; undefined: it is there. */
export interface Reached {
  readonly contentId: string;
  readonly trouble: { readonly reason: string; readonly message: string } | undefined;
  /** What it comes by on its way there. */
  readonly passed?: "beforeHooks";
}

/** Pure: the answer to the action that holds the database; undefined where none does. */
export function answerTo(
  { status }: Pick<PostgresVDB, "status">,
  { contentId, trouble, passed }: Reached,
): PostgresVDBStatus["held"] {
  const { uid, hold = "none" } = status.activeAction ?? {};
  if (uid === undefined || hold === "none") return undefined;
  return {
    uid,
    hold: passed ?? hold,
    contentId,
    ...(trouble === undefined ? {} : { reason: trouble.reason, message: trouble.message.slice(0, 4096) }),
  };
}

/** Pure: whether an answer still says something about the present hold and data. */
export function isCurrent(held: PostgresVDBStatus["held"], { status }: Pick<PostgresVDB, "status">, contentId: string): boolean {
  const { uid, hold = "none" } = status.activeAction ?? {};
  if (held === undefined || held.uid !== uid || held.contentId !== contentId) return false;
  return held.hold === hold || (held.hold === "beforeHooks" && hold === "beforeOpen");
}

type ActiveAction = NonNullable<PostgresVDBStatus["activeAction"]>;

/**
 * Pure: what the present data is once an action is gone that had the database stopped and did not say that it replaced the data.
 * It may have changed the bytes in place. They count as a state that nothing is known of: its hooks run before the gate opens.
 * Undefined: the action cannot have begun, and the data is what the status says.
 */
export function dataLeftBy(
  { uid, replaced }: Pick<ActiveAction, "uid" | "replaced">,
  { held, content }: Pick<PostgresVDBStatus, "held" | "content">,
): VdbContent | undefined {
  const wasStopped = held?.uid === uid && held.hold === "stopped" && held.reason === undefined && held.contentId === content?.id;
  if (!wasStopped || replaced !== undefined || content === undefined) return undefined;
  const { claimName, handle } = content;
  return {
    id: createHash("sha256").update(`left by ${uid}`).digest("hex").slice(0, 12),
    madeBy: "rewind",
    ...(claimName === undefined ? {} : { claimName }),
    ...(handle === undefined ? {} : { handle }),
  };
}
