import { setTimeout as sleep } from "node:timers/promises";
import type { Kubectl } from "@vdb/cluster";
import type { Strike, Victim } from "./plan.ts";
import type { PodWatch, SeenPod } from "./pods.ts";
import { fitting, isWell, type Struck } from "./recovery.ts";
import { strike } from "./strike.ts";
import { leader } from "./world.ts";
import type { Writer } from "./writer.ts";

/** A soak under way. */
export type Run = {
  readonly kubectl: Kubectl;
  readonly pods: PodWatch;
  readonly writers: ReadonlyMap<Victim, Writer>;
  readonly struck: Struck[];
  /** How long it took from each strike until the victim served again. */
  readonly times: { readonly kind: string; readonly seconds: number }[];
};

/** Strikes by the plan. Gives back what waits for each victim's recovery. */
export async function strikeAll(run: Run, plan: readonly Strike[]): Promise<readonly Promise<void>[]> {
  const from = performance.now();
  const recoveries: Promise<void>[] = [];
  for (const planned of plan) {
    await sleep(Math.max(0, from + planned.atMs - performance.now()));
    const pod = await aim(run, planned.victim);
    const hitMs = performance.now();
    const fit = fitting(planned, pod, run.struck);
    const hit = pod !== undefined && (await strike(run.kubectl, pod, fit.way));
    console.log(`  ${((hitMs - from) / 1000).toFixed(1)} s  ${fit.way} ${fit.victim}${hit ? "" : ": nothing to strike"}`);
    if (!hit) continue;
    const struck = { ...fit, hitMs, pod };
    run.struck.push(struck);
    recoveries.push(measure(run, struck));
  }
  return recoveries;
}

/** The victim's pod: of the operators the leader, whose death is the one that is felt. Waits for a pod that is just being made. */
async function aim({ kubectl, pods }: Run, victim: Victim): Promise<SeenPod | undefined> {
  const leads = victim === "operator" ? await leader(kubectl) : "";
  for (let tries = 0; tries < 50; tries += 1) {
    const live = pods.of(victim).filter(({ isLeaving, isRunning }) => isRunning && !isLeaving);
    const pod = live.find(({ name }) => leads.includes(name)) ?? live[0];
    if (pod !== undefined) return pod;
    await sleep(100);
  }
  return undefined;
}

/** Until the victim serves again: a database by a new session that writes, the others by their pods. Given up after two minutes. */
async function measure({ pods, writers, times, struck }: Run, one: Struck): Promise<void> {
  const { victim, way, hitMs } = one;
  const kind = `${way} ${victim.replace(/-\d+$/u, "")}`;
  const recoveredMs = (): number | undefined => {
    if (writers.has(victim)) return writers.get(victim)?.sessions.find(({ beganMs }) => beganMs > hitMs)?.firstRowMs;
    return isWell(victim, pods.of(victim), struck) ? performance.now() : undefined;
  };
  while (performance.now() < hitMs + 120_000) {
    const at = recoveredMs();
    if (at !== undefined) {
      times.push({ kind, seconds: (at - hitMs) / 1000 });
      return;
    }
    await sleep(50);
  }
}
