import type { Client } from "../client/client.ts";
import { decodeWith } from "../client/codec.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../objects/object.ts";
import { controllerOf } from "../objects/owner.ts";
import { type Resource, resourceName } from "../objects/resource.ts";
import type { Clock, Random } from "../support/clock.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import { untilAborted } from "../support/until-aborted.ts";
import type { Cache, CacheEvent, CacheOptions, IndexFunction } from "./cache.ts";
import { type Followed, follow } from "./follow.ts";
import { type MetadataMatch, parseFieldSelector, parseLabelSelector } from "./selector.ts";
import { createStore, type Store } from "./store.ts";

/** A cache with the handles that its owner, the manager, holds. */
export interface ManagedCache<T extends KubeObject = KubeObject> extends Cache<T> {
  /** Follows the API server until the signal is aborted. Called once. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Why nothing was read yet, as far as is known. */
  readonly problem: () => string | undefined;
  /** How long ago the API server said something, or since this cache was made. */
  readonly silentSeconds: () => number;
  readonly addIndexes: (indexes: Readonly<Record<string, IndexFunction<T>>>) => void;
  /** Takes note of a write of this process, and of who in it made it. */
  readonly wrote: (object: T, origin: string | undefined) => void;
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
  const { group, version, kind, plural, namespaced } = resource;
  const followed = {
    client,
    resource: { group, version, kind, plural, namespaced }, // without its decoder: a bad object must not end the watch
    decode: decoder(resource, store, log),
  };
  const addIndexes = (indexes: Readonly<Record<string, IndexFunction<T>>>): void => {
    for (const [name, valuesOf] of Object.entries(indexes)) store.addIndex(name, guarded(resource, name, valuesOf, log));
  };
  addIndexes({ owner: controllerUids, ...options.indexes });
  const sync = Promise.withResolvers<void>();
  const state: { synced: boolean; problem: string | undefined; heardAt: number } = {
    synced: false,
    problem: undefined,
    heardAt: clock.monotonic(),
  };
  const onFailure = (why: string): void => {
    state.problem = why;
  };
  const onSync = (): void => {
    state.synced = true;
    state.problem = undefined;
    sync.resolve();
  };
  const onWord = (): void => {
    state.heardAt = clock.monotonic();
  };
  const callbacks = { onSync, onWord, onFailure, onAction };
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
      for (const object of store.values()) tell(listener, { type: "added", object, initial: true, origin: undefined });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problem: () => state.problem,
    silentSeconds: () => (clock.monotonic() - state.heardAt) / 1000,
    run: (signal) => follow({ ...followed, selection: options, store, clock, random, log, ...callbacks }, signal),
    addIndexes,
    wrote: (object, origin) => {
      if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return;
      const kept = options.metadataOnly === true ? metadataOf(object) : object;
      store.wrote(kept, isSelected(kept), origin);
    },
    deletedByUs: store.deletedByUs,
  };
}

/** What cannot be decoded is told; where an earlier version of it is known, that one stays. */
function decoder<T extends KubeObject>(resource: Resource<T>, store: Store<T>, log: Log): (object: KubeObject) => T | undefined {
  return (object) => {
    try {
      return decodeWith(resource, object);
    } catch (error) {
      const fields = { resource: resourceName(resource), object: keyOf(object), error: errorMessage(error) };
      log.error(fields, "this object could not be read: the cache goes on without this version of it");
      const known = store.get(object.metadata);
      return known?.metadata.uid === object.metadata.uid ? known : undefined;
    }
  };
}

/** An index function that throws must not keep the object out of the cache, nor half of it in. */
function guarded<T extends KubeObject>(
  resource: Resource<T>,
  index: string,
  valuesOf: IndexFunction<T>,
  log: Log,
): IndexFunction<T> {
  return (object) => {
    try {
      return valuesOf(object);
    } catch (error) {
      const fields = { resource: resourceName(resource), object: keyOf(object), index, error: errorMessage(error) };
      log.error(fields, "an index function threw: the object is not in this index");
      return [];
    }
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

/**
 * Whether a written object belongs here. What a field selector selects, other than by name and namespace, only the API
 * server knows: there the cache decides by what it has.
 */
function selectionTest<T extends KubeObject>(options: CacheOptions<T>, store: Store<T>): (object: T) => boolean {
  const labels: MetadataMatch = options.labelSelector === undefined ? () => true : parseLabelSelector(options.labelSelector);
  const fields: MetadataMatch | undefined =
    options.fieldSelector === undefined ? () => true : parseFieldSelector(options.fieldSelector);
  const known = (object: T): boolean => store.get(object.metadata)?.metadata.uid === object.metadata.uid;
  return (object) => labels(object.metadata) && (fields === undefined ? known(object) : fields(object.metadata));
}

/** A cache of metadata alone is asked for with `Resource<MetadataOnly>`, so leaving the rest out keeps the type's promise. */
function metadataOf<T extends KubeObject>(object: T): T {
  const { apiVersion, kind, metadata } = object;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above: T has no more than this
  return { apiVersion, kind, metadata } as T;
}
