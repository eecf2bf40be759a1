import type { ActionObject, PostgresVDB } from "@vdb/api";
import { findCondition, isTrue } from "kube-runtime";

/** What is waited for. */
export type Goal =
  | { readonly kind: "ready" | "stopped" | "completed" | "deleted" }
  | { readonly kind: "phase"; readonly phase: string }
  | { readonly kind: "condition"; readonly type: string; readonly status: string };

/** How a goal stands. `never`: it will not come by itself, and why. */
export type Verdict = { readonly kind: "met" | "notYet" } | { readonly kind: "never"; readonly why: string };

const met: Verdict = { kind: "met" };
const notYet: Verdict = { kind: "notYet" };
const when = (holds: boolean): Verdict => (holds ? met : notYet);

/** Pure. What the status says of an earlier spec decides nothing. */
export function judge(goal: Goal, object: PostgresVDB | ActionObject | undefined): Verdict {
  if (object === undefined) return goal.kind === "deleted" ? met : { kind: "never", why: "it was deleted" };
  const { status, metadata } = object;
  const isCurrent = status.observedGeneration === metadata.generation;
  switch (goal.kind) {
    case "deleted":
      return notYet;
    case "phase":
      return when(status.phase === goal.phase && isCurrent);
    case "condition":
      return when((findCondition(status.conditions, goal.type)?.status ?? "") === goal.status && isCurrent);
    case "stopped":
      return isCurrent && status.phase === "Stopped" ? met : unlessStalled(object, isCurrent);
    case "ready":
      if ("enabled" in object.spec && !object.spec.enabled) return { kind: "never", why: "it is stopped: spec.enabled is false" };
      return isCurrent && isTrue(status.conditions, "Ready") ? met : unlessStalled(object, isCurrent);
    case "completed":
      return isCurrent && isTrue(status.conditions, "Ready") ? met : unlessStalled(object, isCurrent);
    default:
      return goal satisfies never;
  }
}

/** Stalled says that a person has to act. */
function unlessStalled({ kind, metadata, status }: PostgresVDB | ActionObject, isCurrent: boolean): Verdict {
  if (metadata.deletionTimestamp !== undefined && kind === "PostgresVDB") return { kind: "never", why: "it is being deleted" };
  if (!isCurrent || !isTrue(status.conditions, "Stalled")) return notYet;
  const { reason, message } = findCondition(status.conditions, "Stalled") ?? { reason: "Stalled", message: "" };
  return { kind: "never", why: `${reason}: ${message}` };
}

const words = ["ready", "stopped", "completed", "deleted"] as const;

/** `ready`, `phase=Stopped`, `condition=Prepared`, `condition=Ready=False`; undefined: none of these. */
export function goalOf(text: string): Goal | undefined {
  const [word = "", name = "", status = "True"] = text.split("=");
  if (text === "delete") return { kind: "deleted" }; // kubectl's own word
  if (word === "phase" && name !== "") return { kind: "phase", phase: name };
  if (word === "condition" && name !== "") return { kind: "condition", type: name, status };
  const kind = words.find((one) => one === text);
  return kind === undefined ? undefined : { kind };
}
