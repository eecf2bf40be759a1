import { type ConditionValue, findCondition } from "../objects/conditions.ts";
import type { Condition } from "../objects/object.ts";
import type { ConditionRow } from "./kind.ts";
import type { Outcome } from "./outcome.ts";
import type { Failure, StepResult } from "./run-steps.ts";

/** All that the conditions of one run follow from. */
export interface Findings {
  readonly before: readonly Condition[];
  readonly table: readonly ConditionRow[];
  /** Of every step that this object needs, reached or not. */
  readonly planned: readonly { readonly condition?: string }[];
  /** Conditions that stay as they are without a step. */
  readonly keep?: readonly string[];
  readonly results: readonly StepResult[];
  readonly outcome: Outcome | Failure;
  readonly deleting: boolean;
  readonly summary: readonly ConditionValue[];
  /** Names of summary conditions that this kind may have. */
  readonly extra: { readonly declared: readonly string[]; readonly set: readonly ConditionValue[] };
}

/**
 * The conditions that are true now, in the order in which they are shown: summary, Reconciling or Stalled, the table's, the
 * extra ones, other people's. `kept` ones stay word for word, with the generation they were found out about. Pure.
 */
export function conditionsOf(findings: Findings): readonly (ConditionValue | Condition)[] {
  const { before, table, summary, extra } = findings;
  const rows = table.map((row) => rowCondition(row, findings)).filter((condition) => condition !== undefined);
  const complete = findings.outcome.kind === "done" && !findings.deleting;
  const setTypes = new Set(extra.set.map(({ type }) => type));
  const keptExtra = complete ? [] : before.filter(({ type }) => extra.declared.includes(type) && !setTypes.has(type));
  const ours = [...summary, ...progress(findings), ...rows, ...extra.set, ...keptExtra];
  const known = new Set([...ours, ...table].map(({ type }) => type));
  const foreign = before.filter(({ type }) => !known.has(type) && !ownNames.has(type) && !extra.declared.includes(type));
  return [...ours, ...foreign];
}

/** Conditions that the skeleton alone decides on: absent means not so. */
const ownNames = new Set(["Ready", "Succeeded", "Reconciling", "Stalled"]);

function rowCondition(
  row: ConditionRow,
  { planned, keep = [], results, before, deleting }: Findings,
): ConditionValue | Condition | undefined {
  const { type } = row;
  const reached = results.filter(({ step }) => step.condition === type);
  const wanted = planned.filter(({ condition }) => condition === type).length;
  const last = reached.at(-1)?.outcome;
  const present = findCondition(before, type);
  if (last === undefined) {
    if (deleting || keep.includes(type)) return present;
    if (wanted === 0) return undefined; // this object does not need it, as it is now
    return present ?? { type, status: "Unknown", reason: "NotReached", message: "an earlier step is not done" };
  }
  if (last.kind !== "done") return { type, status: "False", reason: last.reason, message: last.message };
  if (reached.length < wanted)
    return present ?? { type, status: "Unknown", reason: "NotReached", message: "an earlier step is not done" };
  return { type, status: "True", reason: last.reason ?? row.reason, message: last.message ?? row.message };
}

/** kstatus: Reconciling while we work, Stalled when a person is needed, neither when all is as it should be. */
function progress({ outcome, deleting }: Findings): readonly ConditionValue[] {
  switch (outcome.kind) {
    case "done":
      return deleting ? [{ type: "Reconciling", status: "True", reason: "Deleting", message: "it is being deleted" }] : [];
    case "after":
    case "waiting":
    case "failed":
      return [{ type: "Reconciling", status: "True", reason: outcome.reason, message: outcome.message }];
    case "terminal":
      return [{ type: "Stalled", status: "True", reason: outcome.reason, message: outcome.message }];
    default:
      return outcome satisfies never;
  }
}
