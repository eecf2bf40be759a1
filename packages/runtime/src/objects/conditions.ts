import type { Condition } from "./object.ts";

/** A condition before its transition time is known. */
export type ConditionValue = Pick<Condition, "type" | "status" | "reason" | "message">;

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === "True";
}

/**
 * The condition as it has to be stored after `before`: the transition time moves only when the status does, so that a
 * second run writes nothing.
 */
export function stampCondition(
  before: Condition | undefined,
  value: ConditionValue,
  at: { readonly time: string; readonly observedGeneration?: number },
): Condition {
  const since = before?.status === value.status ? before.lastTransitionTime : at.time;
  const stamp = at.observedGeneration === undefined ? {} : { observedGeneration: at.observedGeneration };
  return {
    type: value.type,
    status: value.status,
    reason: value.reason,
    message: value.message,
    lastTransitionTime: since,
    ...stamp,
  };
}
