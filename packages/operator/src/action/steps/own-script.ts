import type { ActionScript, PostgresRefresh, PostgresRewind } from "@vdb/api";
import { beginsNothing, done, terminal } from "kube-runtime";
import { type ActionContext, vdbOf } from "../context.ts";
import { answeringPod } from "../database.ts";
import type { ActionStep } from "../step.ts";
import { endText, failureWords, hasEnded, runText } from "./run-text.ts";

type ScriptContext = ActionContext<PostgresRefresh | PostgresRewind>;
type Field = "preRefresh" | "postRefresh" | "preRewind" | "postRewind";

/** The action's own SQL or command. Before the stop a database that does not answer is passed over: there is nothing to run it in. */
export function ownScript(field: Field): ActionStep<ScriptContext> {
  return {
    name: field,
    intend: ({ action }) => `runs spec.${field} under the token ${action.metadata.uid}-${field}`,
    ...beginsNothing, // it is found again by its record and token
    end: async (ctx, _, signal) => {
      const script = scriptIn(ctx, field);
      if (script === undefined) return done();
      const vdb = vdbOf(ctx);
      if (field.startsWith("pre") && (vdb === undefined || answeringPod(ctx, vdb) === undefined))
        return done({ message: `the database does not answer: spec.${field} was not run` });
      const { type, content, database, timeoutSeconds } = script;
      const ended = await runText(ctx, { name: field, type, script: content, database, timeoutSeconds }, signal);
      if (!hasEnded(ended)) return ended;
      return ended.record.outcome === "Succeeded"
        ? done()
        : terminal("ScriptFailed", failureWords(`spec.${field}`, ended.record, timeoutSeconds));
    },
    abandon: async (ctx, _, signal) => await endText(ctx, field, signal),
  };
}

function scriptIn({ action: { spec } }: ScriptContext, field: Field): ActionScript | undefined {
  const scripts: Partial<Record<Field, ActionScript>> = spec;
  return scripts[field];
}
