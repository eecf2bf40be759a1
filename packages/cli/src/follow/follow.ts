import type { ActionObject, PostgresVDB } from "@vdb/api";
import type { Resource } from "kube-runtime";
import type { Session } from "../cluster/session.ts";
import { Complaint, interrupted } from "../complaint.ts";
import { toneOfPhase } from "../text/style.ts";
import type { World } from "../world.ts";
import { type Goal, judge, type Verdict } from "./goal.ts";
import { labelOf, phasesThrough } from "./labels.ts";
import { startProgress } from "./progress.ts";
import { versionsOf } from "./versions.ts";

export interface Pursuit<T extends PostgresVDB | ActionObject> {
  readonly resource: Resource<T>;
  readonly key: { readonly namespace: string; readonly name: string };
  readonly goal: Goal;
  /** Left out: as long as it takes. */
  readonly timeoutMs?: number;
  /** What to say when Ctrl-C ends the following, which changes nothing in the cluster. */
  readonly onInterrupt: readonly string[];
}

export interface Pursued<T> {
  /** As it was last seen; undefined once it is gone. */
  readonly object: T | undefined;
  readonly verdict: Exclude<Verdict, { readonly kind: "notYet" }> | { readonly kind: "late" };
}

/** Follows an object, and tells each phase as it comes, until the goal is met or will not be. */
export async function follow<T extends PostgresVDB | ActionObject>(
  world: World,
  session: Session,
  { resource, key, goal, timeoutMs, onInterrupt }: Pursuit<T>,
): Promise<Pursued<T>> {
  using progress = startProgress(world.stderr, world.clock);
  const told = new Set<string>();
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signal = late === undefined ? world.signal : AbortSignal.any([world.signal, late]);
  let seen: T | undefined;
  try {
    for await (const object of versionsOf(session, resource, key, world.clock, signal)) {
      seen = object;
      if (object !== undefined) {
        for (const phase of phasesThrough(object).filter((one) => one !== object.status.phase && !told.has(one))) {
          told.add(phase);
          progress.say({ text: phase, tone: toneOfPhase(phase) });
        }
        told.add(object.status.phase);
        progress.say(labelOf(object));
      }
      const verdict = judge(goal, object);
      if (verdict.kind !== "notYet") return { object, verdict };
    }
  } catch (error) {
    if (world.signal.aborted)
      throw new Complaint(`${resource.kind} ${key.namespace}/${key.name} goes on without this command`, onInterrupt, interrupted);
    if (late?.aborted !== true) throw error;
  }
  return { object: seen, verdict: { kind: "late" } };
}
