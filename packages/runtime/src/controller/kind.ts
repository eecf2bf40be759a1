import type { Client } from "../client/client.ts";
import type { ObjectReference } from "../kinds/cluster.ts";
import type { ConditionValue } from "../objects/conditions.ts";
import type { Condition, Draft, ObjectMeta, ObjectWithStatus } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { BackOff } from "./look-again.ts";
import type { Finding, Outcome, Unmet } from "./outcome.ts";

/**
 * A kind as the skeleton runs it: what is particular about it, and nothing else.
 *
 * Expected flow of one run: `observe` gathers, `steps` run in order up to the first that is not done, conditions, phase and
 * events follow from the outcomes, and status is written once, only if it changed. Every run starts at the first step.
 * Guarantees: the finalizer is there before the first step (see `CleanUp.comesWith`) and goes only when every clean-up step is done;
 * `observedGeneration` is that of the object the steps saw; a run that finds everything as it should be writes nothing.
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
  readonly steps: Steps<Ctx>;
  readonly cleanUp?: CleanUp<Ctx>;
  /** Whether there is nothing left to do for good: a completed action. It is then never run again, nor written to. */
  readonly finished?: (object: T) => boolean;
  /** The phase that the conditions and the rest of the status, as this run leaves it, amount to. */
  readonly phase?: (conditions: readonly Condition[], status: Draft<NonNullable<T["status"]>>, object: T) => string;
  /** The summary conditions; `readySummary` unless given. None when the object is as declared without being ready. */
  readonly summary?: (result: RunResult<Ctx>, run: Run<T>) => readonly ConditionValue[];
  /**
   * What an error that `observe` or a step threw comes to, said once for all of them: `terminal` where a person has to act,
   * `retry` where time may be enough. Undefined: shown in the error's own words, and retried by the queue.
   */
  readonly explain?: (error: unknown) => Unmet | undefined;
  /** When to look again at what fails: see `retry` and `terminal`. A second at first, then as long as it has lasted, 60 s at most. */
  readonly backOff?: (failingSeconds: number, object: T) => ReturnType<BackOff>;
  /**
   * Whether a status differs from the stored one in words alone, which nobody decides by, this kind's steps least of all. Of something
   * that is under way such a change is written a second after it was found, unless it is overtaken by then: not each word on the
   * way is worth a write.
   */
  readonly onlyTells?: (stored: NonNullable<T["status"]>, next: Draft<NonNullable<T["status"]>>) => boolean;
  /** Condition types that a step sets through `run.setCondition` beside its own; dropped when a whole run did not set them. */
  readonly extraConditions?: readonly string[];
  /** What each line of log of an object's runs says beside its name: by these fields the lines of several kinds are found together. */
  readonly logFields?: (object: T) => Readonly<Record<string, unknown>>;
  /** The object that this one acts on: its events name that one too. */
  readonly related?: (object: T) => ObjectReference;
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

/** A step that hands on what it has found: the steps behind it have it in their context. */
export interface FindingStep<Ctx, Found extends object> extends Step<Ctx> {
  readonly run: (ctx: Ctx, signal: AbortSignal) => Promise<Finding<string, Found>>;
}

/** The steps, or a plan of those that this object needs as it was observed (a stopped one needs others). */
export type Steps<Ctx> = readonly Step<Ctx>[] | ((ctx: Ctx) => Plan<Ctx>);

export interface Plan<Ctx> {
  readonly steps: readonly Step<Ctx>[];
  /** Conditions of the table that stay as they are although no step of this plan sets them; others without a step are dropped. */
  readonly keep?: readonly string[];
}

export interface CleanUp<Ctx> {
  readonly finalizer: string;
  /**
   * firstWrite: the finalizer is there before anything of the status is stored, and comes in one write with the labels that a step sets
   * before; a run leaves none without it. For a kind whose steps begin nothing that is to be cleaned up before they have stored an intent.
   */
  readonly comesWith?: "firstWrite";
  /** Run in order when the object is being deleted; the finalizer goes when all are done. */
  readonly steps: Steps<Ctx>;
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
  /** The one clock of a run and its steps. */
  readonly clock: Clock;
  /** How long the kind's back-off would wait now for a failure with this reason: what `retry` and `terminal` would come to. */
  readonly backOffSeconds: (reason: string) => number;
  /**
   * Moments that this process keeps of this object between runs, by a name of the step's; monotonic milliseconds. Never
   * written: lost with a restart, and when an object is made anew under the same name.
   */
  readonly marks: Map<string, number>;
  /**
   * Writes the draft now, with the phase that follows from it: an intent, before the effect outside that it announces. Throws a
   * conflict when the object moved on. `comesTo`: what this step will come to once it has begun; the conditions tell it already, and
   * a run that ends so has nothing more to write.
   */
  readonly saveStatus: (signal: AbortSignal, comesTo?: Unmet) => Promise<void>;
  /** Adds the kind's finalizer, if it is not there yet: beside another write, where it would come with the next one. */
  readonly addFinalizer: (signal: AbortSignal) => Promise<void>;
  /** Sets labels or annotations of this object. The status is then written on top of it, without a conflict. */
  readonly patchMetadata: (patch: Pick<ObjectMeta, "annotations" | "labels">, signal: AbortSignal) => Promise<void>;
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
