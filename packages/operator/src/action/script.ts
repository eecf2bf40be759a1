import { DctError } from "@vdb/dct";
import { after, createJournal, isApiError, type Outcome, type Step, terminal, type Unmet } from "kube-runtime";
import { ActionFailed } from "../data/action-failed.ts";
import { type ActionContext, isGone, nameOfTarget } from "./context.ts";
import { isLetOpen } from "./hold.ts";
import { beginRollback } from "./rollback.ts";
import type { ActionDefinition, PhasedStep } from "./step.ts";

/** The steps of a kind, forward and back. */
export interface Script {
  readonly definition: ActionDefinition;
  readonly forward: readonly Step<ActionContext>[];
  /** Beside each the step that it takes back. */
  readonly backward: readonly { readonly step: PhasedStep; readonly undo: Step<ActionContext> }[];
}

/** What an error of a storage comes to; undefined for what is none of theirs. */
type Explain = (error: unknown) => Unmet | undefined;

/** For so long a storage or the API server may still act on a request whose answer was lost. */
const requestTimeoutSeconds = 60;

export function scriptOf(definition: ActionDefinition, explain: Explain): Script {
  const steps = definition.steps.map(asJournalled);
  const journal = createJournal(steps, {
    runOf: ({ run }: ActionContext) => run,
    requestTimeoutSeconds,
    provesNoEffect: (error) => provesNoEffect(error) || explain(error)?.kind === "terminal",
  });
  const reversed = definition.steps.toReversed();
  return {
    definition,
    forward: journal.steps.map((step) => failing(step)),
    backward: journal.undoSteps.flatMap((undo, at) => {
      const step = reversed[at];
      return step === undefined ? [] : [{ step, undo: givingUp(undo) }];
    }),
  };
}

export const entryOf = ({ run }: ActionContext, { name }: { readonly name: string }) =>
  run.status.steps?.find((entry) => entry.name === name);

export const isDone = ({ definition }: Script, ctx: ActionContext): boolean =>
  definition.steps.every((step) => entryOf(ctx, step)?.completionTime !== undefined);

/** Once the last step that can be taken back is behind it, an action goes on to its end, whatever happens. */
export const isPastReturn = ({ definition }: Script, ctx: ActionContext): boolean =>
  isLetOpen(ctx) || definition.steps.some((step) => step.isFinal === true && entryOf(ctx, step) !== undefined);

function asJournalled({ abandon, isQuiet, ...step }: PhasedStep, at: number, all: readonly PhasedStep[]): PhasedStep {
  const opensPhase = all[at - 1]?.phase !== step.phase;
  const isAlone = opensPhase && all[at + 1]?.phase !== step.phase; // every phase is seen
  const undo = step.undo ?? abandon;
  const tell = (ctx: ActionContext): void => {
    if (!opensPhase) return;
    ctx.run.event("Normal", step.phase, `${step.phase} has begun on ${nameOfTarget(ctx)}`);
    ctx.run.log.info({ phase: step.phase }, "phase begins"); // an event is forgotten after an hour
  };
  return {
    ...step,
    ...(undo === undefined ? {} : { undo }),
    ...(isQuiet === undefined || isAlone ? {} : { isQuiet }),
    intend: async (ctx, signal) => {
      const intent = await step.intend(ctx, signal);
      if (step.begins === "nothing") tell(ctx);
      return intent;
    },
    begin: async (ctx, intent, signal) => {
      tell(ctx);
      const effect = await step.begin(ctx, intent, signal);
      ctx.run.log.info({ step: step.name, effect }, "step begun");
      return effect;
    },
  };
}

/** A step that cannot succeed: the action is taken back. Where its database is gone, the next run says that. */
function failing(step: Step<ActionContext>): Step<ActionContext> {
  return {
    ...step,
    run: async (ctx, signal) => {
      const outcome = await orFailure(() => step.run(ctx, signal));
      if (outcome.kind !== "terminal") return outcome;
      return isGone(ctx)
        ? after(0, "VdbNotFound", outcome.message)
        : await beginRollback(ctx, outcome.reason, outcome.message, signal);
    },
  };
}

/** An undo that was refused for good: the rest stays as it is, and the action says so. */
function givingUp(step: Step<ActionContext>): Step<ActionContext> {
  return {
    ...step,
    run: async (ctx, signal) => {
      const outcome = await orFailure(() => step.run(ctx, signal));
      if (outcome.kind === "done") return outcome;
      if (outcome.kind !== "terminal") return { ...outcome, reason: "RollingBack" };
      const { rollback } = ctx.run.status;
      if (rollback !== undefined) rollback.failure = outcome.message;
      await ctx.run.saveStatus(signal);
      return { kind: "after", again: { recheckSeconds: 0 }, reason: "RollingBack", message: outcome.message };
    },
  };
}

async function orFailure(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ActionFailed) return terminal(error.reason, error.message);
    throw error;
  }
}

/** Refused before anything was done, or not even sent; who was sent something and gave no answer may have done it. */
const provesNoEffect = (error: unknown): boolean =>
  error instanceof ActionFailed ||
  (error instanceof DctError && error.unsent) ||
  isApiError(
    error,
    "forbidden",
    "unauthorized",
    "badRequest",
    "invalid",
    "notAllowed",
    "notFound",
    "alreadyExists",
    "conflict",
    "fenced",
  );
