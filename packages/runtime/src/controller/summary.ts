import type { ConditionValue } from "../objects/conditions.ts";
import type { RunResult } from "./kind.ts";

/** Ready is True when every step is done, else False with the words of the step that is not. For things that stay. */
export function readySummary({ outcome, deleting }: RunResult<unknown>): readonly ConditionValue[] {
  const type = "Ready";
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

/**
 * For things that end: Ready as above, and Succeeded only at the end: True when every step is done, False when one is terminal,
 * absent until then. `Completed` is the reason of a good end unless its last step gives another.
 */
export function endingSummary(result: RunResult<unknown>): readonly ConditionValue[] {
  const { outcome, deleting } = result;
  if (deleting) return readySummary(result);
  switch (outcome.kind) {
    case "done":
      return ["Ready", "Succeeded"].map((type) => ({
        type,
        status: "True",
        reason: outcome.reason ?? "Completed",
        message: outcome.message ?? "it is done",
      }));
    case "terminal":
      return [...readySummary(result), { type: "Succeeded", status: "False", reason: outcome.reason, message: outcome.message }];
    case "after":
    case "waiting":
      return readySummary(result);
    default:
      return outcome satisfies never;
  }
}
