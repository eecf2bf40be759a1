import type { ActionObject, PostgresVDB } from "@vdb/api";
import { findCondition } from "kube-runtime";
import { firstLine } from "../text/first-line.ts";
import { toneOfPhase } from "../text/style.ts";
import type { Label } from "./progress.ts";

/** Reasons that tell more than the phase does: why it does not go on as expected. */
const telling: ReadonlySet<string> = new Set([
  "Queued",
  "VdbNotFound",
  "VdbNotReady",
  "ReferenceNotGranted",
  "RollingBack",
  "Retrying",
  "ActionRunning",
]);

/** Pure: what an action or database is at. */
export function labelOf({ status }: ActionObject | PostgresVDB): Label {
  const { phase, conditions = [] } = status;
  const tone = toneOfPhase(phase);
  const why = findCondition(conditions, "Reconciling");
  if (why === undefined || why.status !== "True") return { text: phase, tone };
  const detail = `${phase}: ${why.message}`;
  return telling.has(why.reason) ? { text: firstLine(detail), tone, detail } : { text: phase, tone, detail };
}

/** Pure: the phases that an action has been through, for two may have passed between two looks. A database keeps no such list. */
export function phasesThrough({ status }: ActionObject | PostgresVDB): readonly string[] {
  const steps = "steps" in status ? (status.steps ?? []) : [];
  const begun = steps.filter(({ startTime }) => startTime !== undefined).map(({ phase }) => phase);
  return [...new Set(begun)];
}
