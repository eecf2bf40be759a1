import type { SnapshotStatus } from "@vdb/api";
import type { Outcome } from "kube-runtime";
import type { ActionContext } from "../context.ts";

/**
 * How a snapshot of a database's volume is taken. Each call may be repeated at any point; an outage is thrown.
 * `intent` and `effect` are what the step's journal keeps of it.
 */
export interface SnapshotStore {
  /** Its word at the head of intents and effects. */
  readonly scheme: string;
  /** What is there before; undefined: this way is none for this volume. Changes nothing. */
  readonly intend: (ctx: ActionContext, volume: Volume, signal: AbortSignal) => Promise<string | undefined>;
  readonly look: (ctx: ActionContext, intent: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly begin: (ctx: ActionContext, intent: string, signal: AbortSignal) => Promise<string>;
  /** Done once the snapshot is cut: what is written from then on is not in it. */
  readonly cut: (ctx: ActionContext, effect: string, signal: AbortSignal) => Promise<Outcome>;
  /** As far as it is known by its effect alone. */
  readonly named: (ctx: ActionContext, effect: string) => SnapshotStatus;
  /** Its names, once a database can use it; before that an outcome. */
  readonly ready: (ctx: ActionContext, effect: string, signal: AbortSignal) => Promise<SnapshotStatus | Outcome>;
  /** Deletes it, cut or not. */
  readonly discard: (ctx: ActionContext, effect: string, signal: AbortSignal) => Promise<Outcome>;
}

/** The database's claim, and what it is bound to. */
export interface Volume {
  readonly claim: string;
  readonly driver: string | undefined;
  /** The VDB's id in DCT; empty: it has none. */
  readonly handle: string;
}

export const isOutcome = (answer: SnapshotStatus | Outcome): answer is Outcome => "kind" in answer;
