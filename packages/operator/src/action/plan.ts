import { done, type Outcome, type Plan, type Step, terminal, timestamp } from "kube-runtime";
import { contentIdOfAction } from "../vdb/names.ts";
import { admit } from "./admit.ts";
import { type ActionContext, isGone, nameOfTarget, vdbOf } from "./context.ts";
import { withinDeadline } from "./deadline.ts";
import { tellPlan, withinPlan } from "./foresee.ts";
import { beginRollback, rolledBack } from "./rollback.ts";
import { entryOf, isDone, isPastReturn, type Script } from "./script.ts";
import type { PhasedStep } from "./step.ts";
import { hasTurn, leaveTurn, takeTurn } from "./take-turn.ts";
import { isPlanOnly } from "./turn.ts";

/** What an action needs next, by what is recorded of it. */
export function planOf(script: Script, ctx: ActionContext): Plan<ActionContext> {
  const { status } = ctx.run;
  const { needs } = script.definition;
  if (isPlanOnly(ctx.action))
    return { steps: [{ name: "tellPlan", run: async (_, signal) => await tellPlan(script, ctx, signal) }] };
  const leave = leaving(script);
  const start = { name: "start", run: async () => begin(ctx) };
  if (status.rollback !== undefined)
    return { steps: [...undoing(script, ctx), leave, { name: "fail", run: async () => failed(script, ctx) }] };
  if (isDone(script, ctx)) return { steps: [...script.forward, leave] };
  if (hasLeft(script, ctx)) return { steps: [{ name: "recall", run: async () => recall(script, ctx) }] };
  if (isLost(ctx)) return { steps: [{ name: "fail", run: async () => lost(ctx) }] };
  const entry: readonly Step<ActionContext>[] = hasTurn(ctx)
    ? []
    : [
        { name: "admit", run: (_, signal) => admit(ctx, needs, signal) },
        { name: "takeTurn", run: takeTurn },
      ];
  const deadline = {
    name: "deadline",
    run: async (_: ActionContext, signal: AbortSignal) => await withinDeadline(script, ctx, signal),
  };
  const holdPlan = {
    name: "holdPlan",
    run: async (_: ActionContext, signal: AbortSignal) => await withinPlan(script, ctx, signal),
  };
  return { steps: [...entry, start, deadline, holdPlan, ...script.forward, leave] };
}

/** What is left to do for an action that is being deleted. */
export function cleanUpPlan(script: Script, ctx: ActionContext): Plan<ActionContext> {
  const { status } = ctx.run;
  const leave = leaving(script);
  if (!hasTurn(ctx) || isDone(script, ctx) || isOver(ctx)) return { steps: [leave] };
  if (isPastReturn(script, ctx)) return { steps: [...script.forward, leave] };
  if (status.rollback !== undefined) return { steps: [...undoing(script, ctx), leave] };
  const cancel = {
    name: "cancel",
    run: (_: ActionContext, signal: AbortSignal) => beginRollback(ctx, "Cancelled", "it was deleted", signal),
  };
  return { steps: status.startTime === undefined ? [leave] : [cancel] };
}

const leaving = (script: Script): Step<ActionContext> => ({
  name: "leaveTurn",
  run: async (ctx, signal) => await leaveTurn(ctx, isPastReturn(script, ctx), signal),
});

/** Its database is gone, on its way out, or another of the same name. */
const isOver = (ctx: ActionContext): boolean => vdbOf(ctx)?.metadata.deletionTimestamp !== undefined;
const isLost = (ctx: ActionContext): boolean => ctx.run.status.startTime !== undefined && (!hasTurn(ctx) || isOver(ctx));

/** Past the point of no return an action leaves its turn when all is done: its data tells that the database is still that one. */
function hasLeft(script: Script, ctx: ActionContext): boolean {
  if (!isPastReturn(script, ctx) || hasTurn(ctx) || isGone(ctx)) return false;
  const { content, previous } = vdbOf(ctx)?.status ?? {};
  return [content?.id, previous?.id].includes(contentIdOfAction(ctx.action.metadata.uid));
}

/** Writes down what an operator had left to write that died after it had left the turn. */
function recall({ definition }: Script, ctx: ActionContext): Outcome {
  const { status, clock } = ctx.run;
  for (const step of definition.steps) {
    const entry = entryOf(ctx, step);
    if (entry?.completionTime !== undefined) continue;
    step.recall?.(ctx);
    const { startTime = timestamp(clock.now()), ...known } = entry ?? { name: step.name, phase: step.phase };
    const completionTime = timestamp(Math.max(clock.now(), Date.parse(startTime))); // the wall clock may be set back
    const others = (status.steps ?? []).filter(({ name }) => name !== step.name);
    status.steps = [...others, { ...known, startTime, completionTime }];
  }
  return done();
}

function lost(ctx: ActionContext): Outcome {
  return terminal(
    "VdbNotFound",
    `${nameOfTarget(ctx)} was deleted or made anew while the action worked on it: nothing was undone`,
  );
}

/** The undo steps that have something to take back. None once the turn was left: then all was undone, or there is no database. */
function undoing({ backward }: Script, ctx: ActionContext): readonly Step<ActionContext>[] {
  if (!hasTurn(ctx) || isOver(ctx) || ctx.run.status.rollback?.failure !== undefined) return [];
  return backward.filter(({ step }) => takesBack(step, ctx)).map(({ undo }) => undo);
}

const takesBack = (step: PhasedStep, ctx: ActionContext): boolean => {
  const entry = entryOf(ctx, step);
  if (entry === undefined) return false;
  return step.undo !== undefined || (step.abandon !== undefined && entry.completionTime === undefined);
};

/** Waiting for another action does not count, so the time begins with the turn. */
function begin({ run }: ActionContext): Outcome {
  run.status.startTime ??= new Date(run.clock.now()).toISOString();
  return done();
}

function failed({ definition }: Script, ctx: ActionContext): Outcome {
  const { reason = "", message = "", failure } = ctx.run.status.rollback ?? {};
  if (definition.changesData && !isGone(ctx)) ctx.run.setCondition(rolledBack(definition, ctx));
  return terminal(reason, failure === undefined ? message : `${message}; ${failure}`);
}
