import type { KubeObject } from "../objects/object.ts";
import type { Cache } from "./cache.ts";

/**
 * Caches of one resource that hold nothing in common, read as one: for a process whose rights are in some namespaces alone, with a
 * cache for each. `caches` must not be empty.
 */
export function joinCaches<T extends KubeObject>(caches: readonly Cache<T>[]): Cache<T> {
  const [first] = caches;
  if (first === undefined) throw new TypeError("joinCaches: there is no cache to join");
  if (caches.length === 1) return first;
  return {
    resource: first.resource,
    get: (key) => {
      for (const cache of caches) {
        const found = cache.get(key);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    list: (namespace) => caches.flatMap((cache) => cache.list(namespace)),
    byIndex: (index, value) => caches.flatMap((cache) => cache.byIndex(index, value)),
    ownedBy: (owner) => caches.flatMap((cache) => cache.ownedBy(owner)),
    synced: () => caches.every((cache) => cache.synced()),
    waitForSync: async (signal) => void (await Promise.all(caches.map((cache) => cache.waitForSync(signal)))),
    subscribe: (listener) => {
      const ends = caches.map((cache) => cache.subscribe(listener));
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
