import type { Client } from "../client/client.ts";
import { type KubeObject, type ObjectKey } from "../objects/object.ts";
import { controllerOf } from "../objects/owner.ts";
import { type Resource, resourceName } from "../objects/resource.ts";
import type { Clock, Random } from "../support/clock.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import type { Cache, CacheEvent, CacheOptions, IndexFunction } from "./cache.ts";
import { type Followed, follow } from "./follow.ts";
import { type LabelMatch, parseLabelSelector } from "./selector.ts";
import { createStore, type Store } from "./store.ts";

/** A cache with the handles that its owner, the manager, holds. */
export interface ManagedCache<T extends KubeObject = KubeObject> extends Cache<T> {
  /** Follows the API server until the signal is aborted. Called once. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly addIndexes: (indexes: Readonly<Record<string, IndexFunction<T>>>) => void;
  /** Takes note of a write of this process. */
  readonly wrote: (object: T) => void;
  readonly deletedByUs: (key: ObjectKey, uid: string) => void;
}

export interface CacheParts<T extends KubeObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly options: CacheOptions<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onAction: Followed<T>["onAction"];
}

export function createCache<T extends KubeObject>(parts: CacheParts<T>): ManagedCache<T> {
  const { client, resource, options, clock, random, log, onAction } = parts;
  const listeners = new Set<(event: CacheEvent<T>) => void>();
  const tell = (listener: (event: CacheEvent<T>) => void, event: CacheEvent<T>): void => {
    try {
      listener(event);
    } catch (error) {
      log.error({ resource: resourceName(resource), error: errorMessage(error) }, "a listener of the cache threw");
    }
  };
  const store = createStore<T>((event) => {
    for (const listener of listeners) tell(listener, event);
  });
  store.addIndex("owner", (object) => controllerUids(object));
  for (const [name, valuesOf] of Object.entries(options.indexes ?? {})) store.addIndex(name, valuesOf);
  const sync = Promise.withResolvers<void>();
  const state = { synced: false };
  const onSync = (): void => {
    state.synced = true;
    sync.resolve();
  };
  const isSelected = selectionTest(options, store);
  return {
    resource,
    get: store.get,
    list: (namespace) => valuesIn(store, namespace),
    byIndex: store.byIndex,
    ownedBy: (owner) => store.byIndex("owner", owner.metadata.uid),
    synced: () => state.synced,
    waitForSync: (signal) => untilAborted(sync.promise, signal),
    subscribe: (listener) => {
      for (const object of store.values()) tell(listener, { type: "added", object, initial: true, own: false });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    run: (signal) => follow({ client, resource, selection: options, store, clock, random, log, onSync, onAction }, signal),
    addIndexes: (indexes) => {
      for (const [name, valuesOf] of Object.entries(indexes)) store.addIndex(name, valuesOf);
    },
    wrote: (object) => {
      if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return;
      const kept = options.metadataOnly === true ? metadataOf(object) : object;
      store.wrote(kept, isSelected(kept));
    },
    deletedByUs: store.deletedByUs,
  };
}

const controllerUids = (object: KubeObject): readonly string[] => {
  const owner = controllerOf(object);
  return owner === undefined ? [] : [owner.uid];
};

function valuesIn<T extends KubeObject>(store: Store<T>, namespace: string | undefined): readonly T[] {
  const all = [...store.values()];
  return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
}

/** Whether a written object belongs here. What a field selector selects only the API server knows: there the cache decides by what it has. */
function selectionTest<T extends KubeObject>(options: CacheOptions<T>, store: Store<T>): (object: T) => boolean {
  const labels: LabelMatch = options.labelSelector === undefined ? () => true : parseLabelSelector(options.labelSelector);
  const known = (object: T): boolean => store.get(object.metadata)?.metadata.uid === object.metadata.uid;
  return (object) => labels(object.metadata) && (options.fieldSelector === undefined || known(object));
}

/** A cache of metadata alone is asked for with `Resource<MetadataOnly>`, so leaving the rest out keeps the type's promise. */
function metadataOf<T extends KubeObject>(object: T): T {
  const { apiVersion, kind, metadata } = object;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above: T has no more than this
  return { apiVersion, kind, metadata } as T;
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
