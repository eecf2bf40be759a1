import type { ActionRun, PostgresTask, Task } from "@vdb/api";
import { after, beginsNothing, done, type Outcome, terminal } from "kube-runtime";
import type { ActionContext } from "../context.ts";
import type { ActionStep } from "../step.ts";
import { type Ended, endText, failureWords, hasEnded, recordOf, runText, type Text } from "./run-text.ts";

type TaskContext = ActionContext<Task | PostgresTask>;

/** What the status keeps of the output; the API server refuses more. */
const outputBytes = 16_384;

/**
 * Runs a task's text, and again as its retryPolicy has it. Done when one attempt has succeeded or the last has ended. Output and
 * exit code are those of the last attempt that has ended.
 */
export const runAttempts: ActionStep<TaskContext> = {
  name: "run",
  intend: ({ action }) => `runs in the pod under the token ${action.metadata.uid}`,
  ...beginsNothing, // each attempt is found again by its own record and token
  end: async (ctx, _, signal) => {
    const { status } = ctx.run;
    for (;;) {
      status.attempts ??= 1;
      const ended = await runText(ctx, textOf(ctx, status.attempts), signal);
      if (!hasEnded(ended)) return ended;
      tell(ctx, ended);
      const next = nextAttempt(ctx, ended);
      if (next !== "now") return next;
      status.attempts += 1;
    }
  },
  abandon: async (ctx, _, signal) => await endText(ctx, nameOf(ctx.run.status.attempts ?? 1), signal),
};

/** Looks how the last attempt ended. */
export const judgeAttempts: ActionStep<TaskContext> = {
  name: "judge",
  intend: () => "reads the last attempt's end",
  ...beginsNothing,
  end: async (ctx) => {
    const { attempts = 1 } = ctx.run.status;
    const record = recordOf(ctx, nameOf(attempts));
    if (record === undefined) throw new TypeError(`attempt ${attempts} is not recorded`);
    if (record.outcome === "Succeeded") return done();
    return terminal(record.outcome === "Interrupted" ? "Interrupted" : "ScriptFailed", wordsOf(ctx, record));
  },
};

const nameOf = (attempt: number): string => `attempt-${attempt}`;

function textOf({ action }: TaskContext, attempt: number): Text {
  const { type, content: script, database, timeoutSeconds } = action.spec;
  return { name: nameOf(attempt), type, script, database, timeoutSeconds, outputBytes, asWritten: true };
}

function tell(ctx: TaskContext, ended: Ended): void {
  const { status } = ctx.run;
  const { exitCode, outcome } = ended.record;
  if (status.exitCode !== exitCode) delete status.exitCode;
  if (exitCode !== undefined) status.exitCode = exitCode;
  if (ended.output !== undefined) status.output = ended.output;
  if (outcome === "Succeeded") delete status.lastError;
  else status.lastError = wordsOf(ctx, ended.record);
}

/** "now", or what this step comes to. */
function nextAttempt({ action, run }: TaskContext, { record }: Ended): Outcome | "now" {
  const { maxRetries = 0, delay = 0 } = action.spec.retryPolicy ?? {};
  const { attempts = 1 } = run.status;
  if (record.outcome === "Succeeded") return done({ message: `attempt ${attempts} succeeded` });
  if (attempts > maxRetries) return done({ message: `attempt ${attempts} of ${maxRetries + 1} failed` });
  const leftSeconds = delay - (run.clock.now() - Date.parse(record.completionTime ?? "")) / 1000;
  return leftSeconds > 0
    ? after(leftSeconds, "Retrying", `attempt ${attempts} of ${maxRetries + 1} failed; the next one follows`)
    : "now";
}

function wordsOf({ action }: TaskContext, record: ActionRun): string {
  return failureWords(action.spec.type === "sql" ? "the SQL" : "the command", record, action.spec.timeoutSeconds);
}
