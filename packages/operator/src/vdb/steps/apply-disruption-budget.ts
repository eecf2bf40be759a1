import { podDisruptionBudgets } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { holds } from "../decide/holds.ts";
import { keyOfVdb } from "../names.ts";
import { desiredDisruptionBudget } from "../objects/disruption-budget.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";
import { removeOwn } from "./remove.ts";

/** Writes the PodDisruptionBudget, if it is not so already, or removes one that the manifest names no more. Undefined: it is as wanted. */
export async function applyDisruptionBudget(ctx: VdbContext, signal: AbortSignal): Promise<NotApplied | undefined> {
  const { vdb, disruptionBudget } = ctx;
  const wanted = desiredDisruptionBudget(vdb);
  if (wanted === undefined) {
    if (disruptionBudget !== undefined) await removeOwn(ctx, podDisruptionBudgets, keyOfVdb(vdb), disruptionBudget, signal);
    return undefined;
  }
  if (disruptionBudget !== undefined && holds(disruptionBudget, wanted)) return undefined;
  const written = await applyOwn(ctx, podDisruptionBudgets, wanted, disruptionBudget, signal);
  return isOutcome(written) ? written : undefined;
}
