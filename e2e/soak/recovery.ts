import { backOffMs, type Strike, type Victim } from "./plan.ts";
import type { SeenPod } from "./pods.ts";

/** A strike that was carried out, by performance.now(). */
export type Struck = Strike & { readonly hitMs: number; readonly pod: SeenPod };

/** As planned, but for what came of the plan: where a deletion found no pod, a third kill of the same container becomes one. */
export function fitting(planned: Strike, pod: SeenPod | undefined, struck: readonly Struck[]): Strike {
  const kills = struck.filter((one) => one.way === "kill" && one.pod.uid === pod?.uid).length;
  const way = planned.way === "kill" && kills >= 2 ? "delete" : planned.way;
  return { ...planned, way, backOffMs: way === "kill" && kills === 1 ? backOffMs : 0 };
}

/** How many pods a victim has when it is well. */
export const replicasOf = (victim: Victim): number => (victim === "operator" ? 2 : 1);

/** Whether a victim's pods are all there, each ready with a container that was not struck: what a pod's status says may be old. */
export function isWell(victim: Victim, pods: readonly SeenPod[], struck: readonly Struck[]): boolean {
  const live = pods.filter(({ isLeaving }) => !isLeaving);
  const dead = new Set(struck.map(({ pod }) => pod.containerId));
  const well = live.filter(({ isReady, isRunning, containerId }) => isReady && isRunning && !dead.has(containerId));
  return live.length === replicasOf(victim) && well.length === live.length;
}

/**
 * What differs from the pods and restarts that the strikes account for: one line each. `before` are the pods of the beginning.
 * Not exact: restarts of its own doing are none (a lease or a probe that was lost on a busy machine).
 */
export function judgePods(
  victim: Victim,
  before: readonly SeenPod[],
  pods: readonly SeenPod[],
  struck: readonly Struck[],
  isExact = true,
): readonly string[] {
  const known = new Set(before.map(({ uid }) => uid));
  const made = pods.filter(({ uid }) => !known.has(uid)).length;
  const deleted = struck.filter(({ way }) => way !== "kill").length;
  const faults = made === deleted ? [] : [`${victim} was given ${made} new pods for ${deleted} that were deleted`];
  for (const { uid, name, isLeaving, restartCount } of pods) {
    const earlier = before.find((pod) => pod.uid === uid)?.restartCount ?? 0;
    const killed = struck.filter(({ way, pod }) => way === "kill" && pod.uid === uid).length;
    // The last restart of a pod that was deleted may not have come.
    const isFewer = !isLeaving && restartCount < earlier + killed;
    const isMore = isExact && restartCount > earlier + killed;
    if (isFewer || isMore) faults.push(`pod ${name} was restarted ${restartCount - earlier} times, and killed ${killed} times`);
  }
  return faults;
}

/** Median and maximum per kind of strike, in seconds: `of` says which of the times belong together. */
export function summary(times: readonly { readonly kind: string; readonly seconds: number }[]): readonly string[] {
  const kinds = [...new Set(times.map(({ kind }) => kind))].toSorted();
  return kinds.map((kind) => {
    const sorted = times.flatMap((time) => (time.kind === kind ? [time.seconds] : [])).toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return `${kind}: ${sorted.length} times, ${median.toFixed(1)} s (median), ${(sorted.at(-1) ?? Number.NaN).toFixed(1)} s at most`;
  });
}
