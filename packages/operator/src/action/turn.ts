import { type ActionObject, isFinished } from "@vdb/api";

/** An action as the queue sees it. */
export interface Claimant {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly creationTimestamp: string;
  /** Tells those of one second apart: see `Arrivals`. */
  readonly arrival: bigint;
  /** False while it waits for something else than its turn: nobody waits behind it then. */
  readonly isInLine: boolean;
}

/** `status.activeAction` of a database. */
export interface Holder {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** What the database keeps for it; it alone may give that up. */
  readonly holds: boolean;
}

/**
 * - ours: it is this action's turn.
 * - free: it may take it. `former`: whose turn was never left.
 * - behind: it waits for that one.
 */
export type Turn =
  | { readonly kind: "ours" }
  | { readonly kind: "free" }
  | { readonly kind: "behind"; readonly who: Pick<Claimant, "kind" | "name" | "namespace"> };

/**
 * Pure: whose turn it is on one database. By creation, then arrival; `others` are those that have not ended. A holder that is gone
 * is passed over, unless the database holds something for it: the database itself clears that.
 */
export function turnOf(me: Claimant, holder: Holder | undefined, others: readonly Claimant[]): Turn {
  if (holder?.uid === me.uid) return { kind: "ours" };
  if (holder !== undefined && (holder.holds || others.some(({ uid }) => uid === holder.uid)))
    return { kind: "behind", who: holder };
  const ahead = others.filter((other) => other.isInLine && isBefore(other, me)).toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  return ahead[0] === undefined ? { kind: "free" } : { kind: "behind", who: ahead[0] };
}

function isBefore(a: Claimant, b: Claimant): boolean {
  const [at, bt] = [Date.parse(a.creationTimestamp), Date.parse(b.creationTimestamp)];
  if (at !== bt) return at < bt;
  return a.arrival === b.arrival ? a.uid < b.uid : a.arrival < b.arrival;
}

/** One that nobody has looked at yet is in line: it may be older than one that was looked at first. */
export function isInLine(action: ActionObject): boolean {
  const waitsFor = action.status.conditions?.find(({ type }) => type === "Reconciling")?.reason ?? "";
  return (
    !isFinished(action) && !isPlanOnly(action) && action.metadata.deletionTimestamp === undefined && !notItsTurn.has(waitsFor)
  );
}

export function claimantOf(action: ActionObject, arrival: bigint): Claimant {
  const { name, namespace, uid, creationTimestamp } = action.metadata;
  return { kind: action.kind, name, namespace, uid, creationTimestamp, arrival, isInLine: isInLine(action) };
}

/** Whether it only tells what it would do: it needs no turn. */
export const isPlanOnly = ({ spec }: ActionObject): boolean => "planOnly" in spec && spec.planOnly;

/** Reasons of an action that has not begun for which nobody waits behind it. */
const notItsTurn: ReadonlySet<string> = new Set(["VdbNotFound", "VdbNotReady", "ReferenceNotGranted"]);
