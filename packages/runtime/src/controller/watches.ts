import type { Cache, CacheEvent } from "../cache/cache.ts";
import type { KubeObject, ObjectKey } from "../objects/object.ts";

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

/** Objects of this cache wake the owner of this kind that controls them. */
export function owned<T extends KubeObject>(cache: Cache<T>, ownerKind: string): Trigger {
  return mapped(cache, (object) => {
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined || owner.kind !== ownerKind) return [];
    const { namespace } = object.metadata;
    return [namespace === undefined ? { name: owner.name } : { namespace, name: owner.name }];
  });
}
