import type { Cache, CacheEvent } from "../cache/cache.ts";
import type { KubeObject, ObjectKey } from "../objects/object.ts";
import { controllerOf } from "../objects/owner.ts";
import type { Resource } from "../objects/resource.ts";

/** A change elsewhere that makes the controller look at objects of its own. Made by `mapped` and `owned`. */
export interface Trigger {
  readonly cacheName: string;
  readonly start: (enqueue: (key: ObjectKey, priority: "fresh" | "resync") => void) => () => void;
  readonly waitForSync: (signal: AbortSignal) => Promise<void>;
}

/** Objects of this cache wake whom `map` names. `map` sees the new state, and for an update the one before as well. */
export function mapped<T extends KubeObject>(
  cache: Cache<T>,
  map: (object: T, event: CacheEvent<T>) => readonly ObjectKey[],
): Trigger {
  return {
    cacheName: cache.resource.plural,
    waitForSync: cache.waitForSync,
    start: (enqueue) =>
      cache.subscribe((event) => {
        const priority = event.type === "added" && event.initial ? "resync" : "fresh";
        for (const key of map(event.object, event)) enqueue(key, priority);
        if (event.type === "updated") for (const key of map(event.before, event)) enqueue(key, priority);
      }),
  };
}

/**
 * Objects of this cache wake the owner of this resource that controls them. A kind's name alone stands for a namespaced kind
 * of any group: give the resource where another group has a kind of that name, or the owner belongs to no namespace.
 */
export function owned<T extends KubeObject>(
  cache: Cache<T>,
  owner: string | Pick<Resource, "group" | "kind" | "namespaced">,
): Trigger {
  const { kind, group, namespaced } = typeof owner === "string" ? { kind: owner, group: undefined, namespaced: true } : owner;
  return mapped(cache, (object) => {
    const reference = controllerOf(object);
    if (reference === undefined || reference.kind !== kind) return [];
    if (group !== undefined && groupOf(reference.apiVersion) !== group) return [];
    const { namespace } = object.metadata;
    return [namespaced && namespace !== undefined ? { namespace, name: reference.name } : { name: reference.name }];
  });
}

const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");
