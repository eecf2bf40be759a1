import { type PostgresVDB, type PostgresVDBStatus, type VdbContent, type VdbHold, vdbPhase } from "@vdb/api";
import { findCondition, timestamp } from "kube-runtime";
import { type Bytes, placeOf, type Standing } from "../../data/content-store.ts";
import { shortHash } from "../names.ts";

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
  /** spec.enabled, and not expired. */
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

/**
 * Pure: what the status says in the same write with which an action holds the database: from then on nobody is to be let in. Left out
 * where it says so already.
 */
export function heldStatus({ status }: Pick<PostgresVDB, "status">, hold: VdbHold, nowMs: number): Partial<PostgresVDBStatus> {
  const ready = findCondition(status.conditions, "Ready");
  if (hold === "none" || ready?.status !== "True" || status.activeAction === undefined) return {};
  const { name, kind } = status.activeAction;
  const words = { reason: "ActionRunning", message: `${kind} ${name} has the database stopped` };
  const { observedGeneration = 0 } = ready;
  const at = { observedGeneration, lastTransitionTime: timestamp(nowMs) };
  const gone = hold === "stopped" ? ["Ready", "Deployed", "Prepared"] : ["Ready"];
  const conditions = [
    { type: "Ready", status: "False" as const, ...words, ...at },
    { type: "Reconciling", status: "True" as const, ...words, ...at },
    ...(status.conditions ?? []).filter(({ type }) => !gone.includes(type)),
  ];
  return { conditions, phase: vdbPhase(conditions, false), ready: false };
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

type Left = Pick<PostgresVDBStatus, "activeAction" | "held" | "content">;

/**
 * Pure: whether an action that is gone may have changed the data: it had the database stopped, or says that it has replaced the
 * data. Otherwise it cannot have begun, and the data is what the status says.
 */
export function mayHaveChanged({ activeAction, held, content }: Left): boolean {
  if (activeAction?.replaced !== undefined) return true;
  return (
    held?.uid === activeAction?.uid && held?.hold === "stopped" && held.reason === undefined && held.contentId === content?.id
  );
}

/** What the status has to say once an action is gone. */
export interface LeftBehind {
  readonly content: VdbContent;
  /** Becomes the previous data. */
  readonly previous: VdbContent | undefined;
  /** Nobody returns to it. */
  readonly unwanted: VdbContent | undefined;
}

/**
 * Pure: which data an action left that is gone. Data that no status names gets a name, and is a state that nothing is known of: its
 * hooks run before the gate opens. So does the data of a storage that cannot say what it has.
 */
export function leftBehind(
  { uid, replaced }: Pick<NonNullable<Left["activeAction"]>, "uid" | "replaced">,
  content: VdbContent,
  standing: Extract<Standing, { readonly kind: "asRecorded" | "givenBack" | "changed" | "unknown" }>,
): LeftBehind {
  const named = (bytes: Bytes): VdbContent => ({
    id: shortHash(`left by ${uid}`),
    madeBy: "rewind",
    ...bytes,
  });
  switch (standing.kind) {
    case "asRecorded":
      return { content, previous: replaced, unwanted: undefined };
    case "givenBack":
      return replaced === undefined
        ? { content, previous: undefined, unwanted: undefined }
        : { content: replaced, previous: undefined, unwanted: content };
    case "changed":
      return { content: named(standing.bytes), previous: replaced ?? content, unwanted: replaced && content };
    case "unknown":
      return replaced === undefined
        ? { content: named(placeOf(content)), previous: undefined, unwanted: undefined }
        : { content, previous: replaced, unwanted: undefined };
    default:
      return standing satisfies never;
  }
}
