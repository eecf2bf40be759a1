import type { ConditionValue } from "../objects/conditions.ts";
import type { RunResult } from "./kind.ts";

/** Ready is True when every step is done, else False with the words of the step that is not. For things that stay. */
export function readySummary(result: RunResult<unknown>): readonly ConditionValue[] {
  return summaryOf("Ready", result);
}

/** The same summary under another name: `Succeeded` for an action that ends. */
export function summaryOf(type: string, { outcome, deleting }: RunResult<unknown>): readonly ConditionValue[] {
  if (deleting) return [{ type, status: "False", reason: "Deleting", message: outcome.message ?? "it is being deleted" }];
  switch (outcome.kind) {
    case "done":
      return [{ type, status: "True", reason: outcome.reason ?? type, message: outcome.message ?? "" }];
    case "after":
    case "waiting":
    case "terminal":
      return [{ type, status: "False", reason: outcome.reason, message: outcome.message }];
    default:
      return outcome satisfies never;
  }
}
