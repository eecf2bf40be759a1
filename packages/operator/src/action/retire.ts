import { type ActionKind, type ActionObject, isFinished, resourceOf } from "@vdb/api";
import { hasFinalizer, isApiError, type Log, type Manager, type ReconcileResult, removeFinalizer } from "kube-runtime";
import { logFieldsIn } from "./log-fields.ts";
import { finalizer } from "./machine.ts";
import type { ActionWorld } from "./world.ts";

/**
 * What becomes of an action that has ended: nothing holds it any more, so that its namespace can go without an operator, and
 * it is deleted when its spec.ttlSecondsAfterFinished have passed. Its status is never written to.
 */
export async function retire(
  { client }: Pick<Manager, "client">,
  kind: ActionKind,
  action: ActionObject,
  { log, nowMs }: { readonly log: Log; readonly nowMs: number },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!isFinished(action) || action.metadata.deletionTimestamp !== undefined) return {};
  const resource = resourceOf<ActionKind>(kind);
  if (hasFinalizer(action, finalizer)) {
    await removeFinalizer(client, resource, action, finalizer, signal);
    return {}; // that write leads here again
  }
  const leftSeconds = secondsLeft(action, nowMs);
  if (leftSeconds === undefined) return {};
  if (leftSeconds > 0) return { requeueAfterSeconds: leftSeconds };
  const { uid } = action.metadata;
  try {
    await client.delete(resource, action.metadata, signal, { preconditions: { uid } });
    log.info({}, "the action is deleted: its ttlSecondsAfterFinished have passed");
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
  }
  return {};
}

/** Pure: until an action that has ended is deleted; undefined: never. */
export function secondsLeft({ spec, status }: Pick<ActionObject, "spec" | "status">, nowMs: number): number | undefined {
  const { ttlSecondsAfterFinished: ttl } = spec;
  return ttl === undefined ? undefined : ttl - (nowMs - Date.parse(status.completionTime ?? "")) / 1000;
}

/** Adds the controller that retires actions of one kind. */
export function retireActions(
  manager: Manager,
  kind: ActionKind,
  cache: ActionWorld["actions"][number],
  world: ActionWorld,
): void {
  manager.reconcileWith<ActionObject>(
    {
      name: `${kind.kind.toLowerCase()}-ends`,
      resource: resourceOf<ActionKind>(kind),
      logFields: logFieldsIn(world),
      reconcile: async ({ object, log }, signal) =>
        object === undefined ? {} : await retire(manager, kind, object, { log, nowMs: world.now() }, signal),
    },
    { cache },
  );
}
