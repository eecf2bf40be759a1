import { done, findCondition, type Outcome } from "kube-runtime";
import type { ActionContext } from "./context.ts";
import { beginRollback } from "./rollback.ts";
import { isPastReturn, type Script } from "./script.ts";

/** spec.deadlineSeconds counts from the start. Past the point of no return it ends nothing, nor does it end a rollback. */
export async function withinDeadline(script: Script, ctx: ActionContext, signal: AbortSignal): Promise<Outcome> {
  const { run, action } = ctx;
  if (isPastReturn(script, ctx)) return done();
  const { deadlineSeconds } = action.spec;
  const leftSeconds = deadlineSeconds - (run.clock.now() - Date.parse(run.status.startTime ?? "")) / 1000;
  if (leftSeconds > 0) return done({ recheckSeconds: leftSeconds });
  const last = findCondition(action.status.conditions, "Reconciling")?.message ?? "";
  const message = `it did not end within spec.deadlineSeconds (${deadlineSeconds} s)${last === "" ? "" : `: ${last}`}`;
  return await beginRollback(ctx, "DeadlineExceeded", message, signal);
}
