import { after, type ConditionValue, type Outcome } from "kube-runtime";
import type { ActionContext } from "./context.ts";
import type { ActionDefinition } from "./step.ts";

/** Decides that the action is taken back, before the first effect is: from then on no step goes forward. */
export async function beginRollback(ctx: ActionContext, reason: string, message: string, signal: AbortSignal): Promise<Outcome> {
  const { status, clock } = ctx.run;
  status.rollback ??= { reason, message, startTime: new Date(clock.now()).toISOString() };
  const comesTo = after(0, "RollingBack", message);
  await ctx.run.saveStatus(signal, comesTo);
  return comesTo;
}

/** What became of the data. */
export function rolledBack({ steps }: ActionDefinition, { run }: ActionContext): ConditionValue {
  const type = "RolledBack";
  const { rollback, steps: entries = [] } = run.status;
  if (rollback?.failure !== undefined) return { type, status: "False", reason: "RollbackFailed", message: rollback.failure };
  const touched = entries.some(
    ({ name, undoneTime }) =>
      undoneTime !== undefined && steps.some((step) => step.name === name && step.undo && step.isBeside !== true),
  );
  return touched
    ? { type, status: "True", reason: "RolledBack", message: "the old data is back" }
    : { type, status: "True", reason: "NothingChanged", message: "the action had not touched the data yet" };
}
