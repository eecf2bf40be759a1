import { type HookStage, isSwitchedOn } from "@vdb/api";
import { beginsNothing, done, terminal } from "kube-runtime";
import { type ActionContext, vdbOf } from "../context.ts";
import { answeringPod } from "../database.ts";
import type { ActionStep } from "../step.ts";
import { endText, failureWords, hasEnded, runText } from "./run-text.ts";

/**
 * The database's own hooks of one stage, in order, whichever kind of action asks for them. One that fails ends the action unless
 * it has continueOnError. Of a stopped database none runs.
 */
export function vdbHooks(stage: HookStage): ActionStep<ActionContext> {
  const hooksOf = (ctx: ActionContext) => (vdbOf(ctx)?.spec.hooks ?? []).filter((hook) => hook.stage === stage);
  return {
    name: `${stage}-hooks`,
    intend: ({ action }) => `runs hooks under tokens that begin with ${action.metadata.uid}-${stage}`,
    isQuiet: (ctx) => hooksOf(ctx).length === 0,
    ...beginsNothing, // each hook is found again by its own record and token
    end: async (ctx, _, signal) => {
      const vdb = vdbOf(ctx);
      if (vdb === undefined || (!isSwitchedOn(vdb) && answeringPod(ctx, vdb) === undefined))
        return done({ message: "the database is stopped: no hook was run" });
      for (const { name, type, script, database, timeoutSeconds, continueOnError } of hooksOf(ctx)) {
        const ended = await runText(ctx, { name: `${stage}/${name}`, type, script, database, timeoutSeconds }, signal);
        if (!hasEnded(ended)) return ended;
        if (ended.record.outcome !== "Succeeded" && !continueOnError)
          return terminal("HookFailed", failureWords(`the ${stage} hook ${name}`, ended.record, timeoutSeconds));
      }
      return done();
    },
    abandon: async (ctx, _, signal) => {
      for (const { name } of hooksOf(ctx)) {
        const outcome = await endText(ctx, `${stage}/${name}`, signal);
        if (outcome.kind !== "done") return outcome;
      }
      return done();
    },
  };
}
