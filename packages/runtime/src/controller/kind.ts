import type { Client } from "../client/client.ts";
import type { ConditionValue } from "../objects/conditions.ts";
import type { Condition, Draft, ObjectWithStatus } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Outcome } from "./outcome.ts";

/**
 * A kind as the skeleton runs it: what is particular about it, and nothing else.
 *
 * Expected flow of one run: `observe` gathers, `steps` run in order up to the first that is not done, conditions, phase and
 * events follow from the outcomes, and status is written once, only if it changed. Every run starts at the first step.
 * Guarantees: the finalizer is there before the first step and goes only when every clean-up step is done; `observedGeneration`
 * is that of the object the steps saw; a run that finds everything as it should be writes nothing.
 * Assumptions: steps are idempotent, and record an intent (`run.saveStatus`) before an effect outside of Kubernetes.
 */
export interface ControlledKind<T extends ObjectWithStatus, Ctx> {
  /** The controller's name in metrics and logs: lower case, stable. */
  readonly name: string;
  readonly resource: Resource<T>;
  /** Every condition the steps set, in the order in which it is shown. */
  readonly conditions: readonly ConditionRow[];
  /** Gathers what the steps decide on. A throw becomes a Ready condition and a retry. */
  readonly observe: (run: Run<T>, signal: AbortSignal) => Promise<Ctx>;
  /** The steps, or which steps this object needs (a stopped one needs others). */
  readonly steps: readonly Step<Ctx>[] | ((ctx: Ctx) => readonly Step<Ctx>[]);
  readonly cleanUp?: CleanUp<Ctx>;
  /** Whether there is nothing left to do for good: a completed action. It is then never run again, nor written to. */
  readonly finished?: (object: T) => boolean;
  /** The phase that the conditions amount to. */
  readonly phase?: (conditions: readonly Condition[], object: T) => string;
  /** The summary conditions; `readySummary` unless given. None when the object is as declared without being ready. */
  readonly summary?: (result: RunResult<Ctx>) => readonly ConditionValue[];
  /** The words for an error that a step threw, where the error's own message would not help a person. */
  readonly explain?: (error: unknown) => { readonly reason: string; readonly message: string } | undefined;
  /** Condition types that a step sets through `run.setCondition` beside its own; dropped when a whole run did not set them. */
  readonly extraConditions?: readonly string[];
}

/** One row of the condition table. */
export interface ConditionRow {
  readonly type: string;
  /** What it says when its steps are done, unless the last of them said otherwise. */
  readonly reason: string;
  readonly message: string;
}

export interface Step<Ctx> {
  /** For logs, metrics and messages. */
  readonly name: string;
  /** The condition this step sets, from the kind's table. Steps of one condition stand together; it is True when all are done. */
  readonly condition?: string;
  readonly run: (ctx: Ctx, signal: AbortSignal) => Promise<Outcome>;
}

export interface CleanUp<Ctx> {
  readonly finalizer: string;
  /** Run in order when the object is being deleted; the finalizer goes when all are done. */
  readonly steps: readonly Step<Ctx>[] | ((ctx: Ctx) => readonly Step<Ctx>[]);
}

/** One run over one object: what the skeleton hands to `observe`. */
export interface Run<T extends ObjectWithStatus> {
  /** As the cache holds it. Shared: never change it. */
  readonly object: T;
  /** A draft of its status; what is in it at the end is written. Conditions, phase and observedGeneration are the skeleton's. */
  readonly status: Draft<NonNullable<T["status"]>>;
  /** Names this run in logs. */
  readonly id: string;
  readonly client: Client;
  readonly log: Log;
  readonly clock: Clock;
  /** Writes the draft now: an intent, before the effect outside that it announces. Throws a conflict when the object moved on. */
  readonly saveStatus: (signal: AbortSignal) => Promise<void>;
  /** Sets one of the kind's `extraConditions`: a warning beside the steps' own. */
  readonly setCondition: (condition: ConditionValue) => void;
  /** Tells something that is no condition: `event("Normal", "Refreshed", "…")`. */
  readonly event: (type: "Normal" | "Warning", reason: string, message: string) => void;
}

/** What the steps came to. */
export interface RunResult<Ctx> {
  /** Undefined when `observe` threw. */
  readonly ctx: Ctx | undefined;
  /** The outcome of the first step that is not done, or of the last. */
  readonly outcome: Outcome;
  /** The step it came from; undefined when there were none or `observe` threw. */
  readonly step: string | undefined;
  readonly deleting: boolean;
}
