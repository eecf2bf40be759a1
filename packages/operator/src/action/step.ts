import type { ActionKind, ActionPhase } from "@vdb/api";
import type { JournalStep } from "kube-runtime";
import type { Needs } from "./admit.ts";
import type { ActionContext } from "./context.ts";

/**
 * One step of an action, with an effect outside of it. The journal records its intent before `begin` and its effect after, so
 * that it happens once, whatever fails or dies in between. Names are unique within an action.
 *
 * `end` and `undo` come to `terminal` where trying again cannot help: the action is then taken back, or its undo given up.
 * `intend`, `look` and `begin` throw ActionFailed for the same.
 */
export interface ActionStep<C> extends Omit<JournalStep<C>, "phase"> {
  /** Ends what is under way, where it has not come to its end. A step with `undo` needs none. */
  readonly abandon?: NonNullable<JournalStep<C>["undo"]>;
  /** Its effect is beside the database's data: to take it back is no return to the old data. */
  readonly isBeside?: true;
  /** The point of no return: once this step is announced nothing is undone any more, and the action goes on to its end. */
  readonly isFinal?: true;
  /** From the final step on: tells again what its `end` has told, once the turn was left and an operator died before that was written. */
  readonly recall?: (ctx: C) => void;
}

/** A kind of action as the controller runs it. */
export interface ActionDefinition {
  readonly kind: ActionKind;
  readonly needs: Needs;
  readonly changesData: boolean;
  /** All of the kind's, in their order. */
  readonly phases: readonly ActionPhase[];
  readonly steps: readonly PhasedStep[];
  /** Condition types beside the summary that its steps set. */
  readonly conditions: readonly string[];
}
export type PhasedStep = ActionStep<ActionContext> & { readonly phase: string };
