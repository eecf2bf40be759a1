import { type ActionObject, isFinished, type PostgresVDB } from "@vdb/api";
import type { Pod, Run } from "kube-runtime";
import { instanceKey, podsByInstance } from "../vdb/context.ts";
import type { ActionWorld } from "./world.ts";

/** What the steps of one run of an action know. */
export interface ActionContext<A extends ActionObject = ActionObject> {
  readonly run: Run<A>;
  readonly action: A;
  readonly world: ActionWorld;
  readonly target: VdbKey;
  /** Of all kinds, on the same database: all that have not ended. */
  readonly others: readonly ActionObject[];
}

export interface VdbKey {
  readonly namespace: string;
  readonly name: string;
}

/** Reads caches alone, so that it cannot fail. */
export function observe<A extends ActionObject>(world: ActionWorld, run: Run<A>): ActionContext<A> {
  const action = run.object;
  const target = targetOf(action);
  const others = world.actions
    .flatMap((cache) => cache.byIndex(actionsByVdb, keyText(target)))
    .filter((other) => other.metadata.uid !== action.metadata.uid && !isFinished(other));
  return { run, action, world, target, others };
}

/** As the API server has it now: writes of this run are seen too. */
export const vdbOf = ({ world, target }: Pick<ActionContext, "world" | "target">): PostgresVDB | undefined =>
  world.caches.vdbs.get(target);

/** Whether the database is on its way out, or is there no more: its data goes with it, and what fails by now fails for that. */
export function isGone(ctx: Pick<ActionContext, "world" | "target">): boolean {
  const vdb = vdbOf(ctx);
  return vdb === undefined || vdb.metadata.deletionTimestamp !== undefined;
}

/** All of the database's pods, those that are ending too. */
export const podsOf = ({ world }: Pick<ActionContext, "world">, vdb: PostgresVDB): readonly Pod[] =>
  world.caches.pods.byIndex(podsByInstance, instanceKey(vdb));

/** The database that an action works on. */
export function targetOf({ spec, metadata }: ActionObject): VdbKey {
  const { name, namespace = metadata.namespace } = "vdbRef" in spec ? spec.vdbRef : spec.targetRef;
  return { namespace, name };
}

/** The index of the actions' caches by the database they work on. */
export const actionsByVdb = "vdb";
export const keyText = ({ namespace, name }: VdbKey): string => `${namespace}/${name}`;
export const vdbKeyOf = (action: ActionObject): readonly string[] => [keyText(targetOf(action))];

/** How a database is called in messages: its namespace only where it is another. */
export function nameOfTarget({ target, action }: Pick<ActionContext, "target" | "action">): string {
  return target.namespace === action.metadata.namespace ? `PostgresVDB ${target.name}` : `PostgresVDB ${keyText(target)}`;
}
