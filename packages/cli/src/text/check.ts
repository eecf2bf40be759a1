import type { PostgresVDB } from "@vdb/api";
import { type Deployment, findCondition } from "kube-runtime";
import type { Output } from "../world.ts";
import { table } from "./table.ts";

/** One line of doctor. `note`: something does not work, or not yet, but not everything needs it. */
export interface Check {
  readonly what: string;
  readonly verdict: "ok" | "note" | "unknown" | "fails";
  /** What is so, or what to do. */
  readonly says: string;
}

const tones = { ok: "good", note: "busy", unknown: "faint", fails: "bad" } as const;

export const reportText = (output: Output, checks: readonly Check[]): string =>
  table(
    output,
    checks.map(({ what, verdict, says }) => [{ text: verdict, tone: tones[verdict] }, { text: what }, { text: says }]),
  );

/** Pure: whether an operator runs. */
export function operatorCheck(found: readonly Deployment[]): Check {
  const what = "operator";
  const [first] = found;
  if (first === undefined)
    return { what, verdict: "fails", says: "no Deployment delphix-operator: install the chart delphix-operator" };
  const { namespace = "", name, labels } = first.metadata;
  const place = `Deployment ${namespace}/${name}`;
  if ((first.status?.readyReplicas ?? 0) === 0)
    return { what, verdict: "fails", says: `${place} has no ready pod: kubectl describe deployment ${name} -n ${namespace}` };
  return { what, verdict: "ok", says: `${place} runs, version ${labels?.["app.kubernetes.io/version"] ?? "unknown"}` };
}

/** Pure: what the databases say of DCT; nobody but the operator and the driver speaks to it. */
export function dctCheck(databases: readonly PostgresVDB[]): Check {
  const what = "DCT";
  const told = databases
    .filter(({ spec }) => spec.source.type === "dct-source")
    .map(({ metadata, status }) => ({ metadata, condition: findCondition(status.conditions ?? [], "SourceResolved") }));
  const refused = told.find(({ condition }) => condition?.status === "False" && condition.reason.startsWith("Dct"));
  if (refused?.condition !== undefined)
    return { what, verdict: "fails", says: `PostgresVDB ${refused.metadata.name}: ${refused.condition.message}` };
  if (told.some(({ condition }) => condition?.status === "True"))
    return { what, verdict: "ok", says: "it has answered for the databases here" };
  return { what, verdict: "unknown", says: "no database of this namespace has asked it yet" };
}
