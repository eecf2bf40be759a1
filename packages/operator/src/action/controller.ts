import { type ActionKind, type ActionObject, isFinished, type PostgresVDB, resourceOf, type ScheduleName } from "@vdb/api";
import { type Cache, type CacheEvent, isControlledBy, type Manager, mapped, type ObjectKey, type Trigger } from "kube-runtime";
import { cacheOfServed, type Served } from "../access/served.ts";
import { instanceLabel, scheduleLabel } from "../vdb/names.ts";
import type { NamedSnapshot } from "../vdb/world.ts";
import { createArrivals } from "./arrivals.ts";
import { actionsByVdb, keyText, targetOf, type VdbKey, vdbKeyOf } from "./context.ts";
import { controlledAction } from "./machine.ts";
import { postgresRefreshAction } from "./postgres-refresh.ts";
import { postgresRewindAction } from "./postgres-rewind.ts";
import { postgresSnapshotAction } from "./postgres-snapshot.ts";
import { postgresTaskAction } from "./postgres-task.ts";
import { retireActions } from "./retire.ts";
import type { ActionDefinition } from "./step.ts";
import { taskAction } from "./task.ts";
import { type Holder, isInLine } from "./turn.ts";
import { vdbRefreshAction } from "./vdb-refresh.ts";
import { vdbRewindAction } from "./vdb-rewind.ts";
import { vdbSnapshotAction } from "./vdb-snapshot.ts";
import type { ActionWorld } from "./world.ts";

/** The kinds that this version serves. */
export const actionDefinitions: readonly ActionDefinition[] = [
  vdbSnapshotAction,
  vdbRefreshAction,
  vdbRewindAction,
  postgresSnapshotAction,
  postgresRefreshAction,
  postgresRewindAction,
  postgresTaskAction,
  taskAction,
];

/** The watches: one of each kind that is served. */
export function actionCaches(manager: Pick<Manager, "cacheFor">, served: Served): readonly Cache<ActionObject>[] {
  return actionDefinitions.map(({ kind }) =>
    cacheOfServed<ActionObject>(manager, served, resourceOf<ActionKind>(kind), { indexes: { [actionsByVdb]: vdbKeyOf } }),
  );
}

/** One loop over the kinds: each gets a controller, woken by its database, by its pods, and by the actions beside it. */
export function controlActions(manager: Manager, parts: Omit<ActionWorld, "arrivals">): void {
  const world: ActionWorld = { ...parts, arrivals: createArrivals() };
  const { concurrency } = world.config;
  actionDefinitions.forEach((definition, at) => {
    const cache = world.actions[at];
    if (cache === undefined) throw new TypeError(`no cache for ${definition.kind.kind}`);
    manager.control(controlledAction(definition, world), { cache, concurrency, triggers: wakesOf(cache, world) });
    retireActions(manager, definition.kind, cache, world);
  });
}

function wakesOf(cache: Cache<ActionObject>, { caches, actions }: ActionWorld): readonly Trigger[] {
  const unfinishedOn = (key: VdbKey): readonly ObjectKey[] =>
    cache
      .byIndex(actionsByVdb, keyText(key))
      .filter((action) => !isFinished(action))
      .map(({ metadata: { namespace, name } }) => ({ namespace, name }));
  return [
    mapped(caches.vdbs, ({ metadata: { namespace, name } }) => unfinishedOn({ namespace, name })),
    mapped(caches.pods, ({ metadata: { namespace = "", labels } }) => {
      const name = labels?.[instanceLabel];
      return name === undefined ? [] : unfinishedOn({ namespace, name });
    }),
    ...actions.map((others) => mapped(others, (action, event) => (movesQueue(event) ? unfinishedOn(targetOf(action)) : []))),
  ];
}

/** For the databases: whether an action that has a turn is at work. One of a kind that is not served here is left to others. */
export function isAtWork(actions: ActionWorld["actions"], { kind, name, namespace, uid }: Omit<Holder, "holds">): boolean {
  const cache = actions.find(({ resource }) => resource.kind === kind);
  if (cache === undefined) return true;
  const found = cache.get({ namespace, name });
  return found?.metadata.uid === uid && !isFinished(found);
}

/** For the databases: the snapshots that are still needed because an action is to use them. */
export const namedByActions = (actions: ActionWorld["actions"]): readonly NamedSnapshot[] =>
  actions.flatMap((cache) =>
    cache
      .list()
      .filter((action) => !isFinished(action))
      .flatMap((action) => {
        const { type, name } = ("snapshotRef" in action.spec ? action.spec.snapshotRef : undefined) ?? {};
        const { namespace } = targetOf(action);
        return type === undefined || name === undefined
          ? []
          : [{ type, name, namespace, who: `${action.kind} ${action.metadata.name}` }];
      }),
  );

/** For the databases: what their schedules have made. */
export const scheduledActions = (
  actions: ActionWorld["actions"],
  vdb: PostgresVDB,
  schedule: ScheduleName,
): readonly ActionObject[] =>
  actions
    .flatMap((cache) => cache.byIndex(actionsByVdb, keyText(vdb.metadata)))
    .filter((action) => action.metadata.labels?.[scheduleLabel] === schedule && isControlledBy(action, vdb));

/** An action that has ended or gone wakes its database. */
export const actionTriggers = (actions: ActionWorld["actions"]): readonly Trigger[] =>
  actions.map((cache) =>
    mapped(cache, (action, { type }) => (type === "deleted" || isFinished(action) ? [targetOf(action)] : [])),
  );

/** Whether somebody who waits behind this action may go on. */
function movesQueue(event: CacheEvent<ActionObject>): boolean {
  if (event.type !== "updated") return event.type === "deleted";
  return isInLine(event.before) && !isInLine(event.object);
}
