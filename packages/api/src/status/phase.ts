import type { ActionPhase, ActionStep } from "../actions/status-fields.ts";
import type { Condition } from "../fields/condition.ts";
import type { VdbPhase } from "../vdb/status.ts";

type Seen = Pick<Condition, "type" | "status" | "reason">;
const has = (conditions: readonly Seen[], type: string, status: string): boolean =>
  conditions.some((condition) => condition.type === type && condition.status === status);

/** The phase of a PostgresVDB is a projection of its conditions, never the other way round. Rows in order; the first that holds. */
export function vdbPhase(conditions: readonly Seen[], deleting: boolean): VdbPhase {
  if (deleting) return "Terminating";
  if (has(conditions, "Stalled", "True")) return "Error";
  if (conditions.some(({ type, status, reason }) => type === "Deployed" && status === "False" && reason === "Stopped"))
    return "Stopped";
  if (has(conditions, "Ready", "True")) return "Ready";
  if (!conditions.some(({ type }) => type !== "Reconciling")) return "Pending";
  if (!has(conditions, "Provisioned", "True")) return "Provisioning";
  if (!has(conditions, "Configured", "True")) return "Configuring";
  return "Deploying";
}

/**
 * The phase of an action: its end if the conditions tell one, else that of the first step that is not done; Pending before the
 * first. Reasons say why, and move no phase: an outage in the middle leaves it where it is.
 */
export function actionPhase<const P extends ActionPhase>(
  conditions: readonly Seen[],
  steps: readonly ActionStep[] | undefined = [],
  phases: readonly P[],
): P | "Pending" | "Completed" | "Error" {
  if (has(conditions, "Succeeded", "True")) return "Completed";
  if (has(conditions, "Succeeded", "False")) return "Error";
  const reached = steps.find(({ completionTime }) => completionTime === undefined) ?? steps.at(-1);
  return phases.find((phase) => phase === reached?.phase) ?? "Pending";
}

/** Whether an action has ended for good: its phase is the last that it will have. */
export const isFinished = ({ status }: { readonly status: { readonly phase: string } }): boolean =>
  status.phase === "Completed" || status.phase === "Error";
