import { type KubeObject, keyOf, nameOfKey, type ObjectKey } from "../objects/object.ts";
import { compareResourceVersions } from "../objects/resource-version.ts";
import type { CacheEvent, IndexFunction } from "./cache.ts";
import { createObjectIndex, type ObjectIndex } from "./object-index.ts";

/**
 * The objects of one cache, and the only place where they change.
 *
 * Invariants: of one object (uid) versions only grow; `seen` is how far the watch has come, and everything up to it is
 * contained; an own write newer than `seen` is kept until the watch has passed it; an own delete hides the object (its uid)
 * until the watch tells of it.
 */
export interface Store<T extends KubeObject> {
  readonly get: (key: ObjectKey) => T | undefined;
  readonly values: () => Iterable<T>;
  readonly size: () => number;
  readonly byIndex: (index: string, value: string) => readonly T[];
  readonly addIndex: (name: string, valuesOf: IndexFunction<T>) => void;
  /** The watch told that the object is so. */
  readonly changed: (object: T) => void;
  /** The watch told that it is gone, or no longer selected. */
  readonly removed: (object: T) => void;
  /** A bookmark: nothing happened up to here. */
  readonly passed: (resourceVersion: string) => void;
  /** A whole list as of `resourceVersion`. */
  readonly replaced: (objects: readonly T[], resourceVersion: string) => void;
  /** A write of this process was answered with this object. `selected`: whether it belongs into this cache. */
  readonly wrote: (object: T, selected: boolean) => void;
  /** A delete of this process was answered: the object with this uid is gone. */
  readonly deletedByUs: (key: ObjectKey, uid: string) => void;
}

export function createStore<T extends KubeObject>(emit: (event: CacheEvent<T>) => void): Store<T> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, ObjectIndex<T>>();
  const hidden = new Set<string>(); // uids that we deleted and the watch has not yet told of
  const state = { seen: "", filled: false };

  const put = (key: string, object: T, own: boolean): void => {
    const before = objects.get(key);
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) drop(key, before, own);
    const same = objects.get(key);
    for (const index of indexes.values()) {
      if (same !== undefined) index.remove(key, same);
      index.add(key, object);
    }
    objects.set(key, object);
    if (same === undefined) emit({ type: "added", object, initial: !state.filled, own });
    else emit({ type: "updated", object, before: same, own });
  };
  /** `last` is the final state, when it is known. */
  const drop = (key: string, last: T, own: boolean): void => {
    const before = objects.get(key);
    if (before === undefined) return;
    for (const index of indexes.values()) index.remove(key, before);
    objects.delete(key);
    emit({ type: "deleted", object: last, own });
  };
  const advance = (resourceVersion: string): void => {
    if (compareResourceVersions(resourceVersion, state.seen) > 0) state.seen = resourceVersion;
  };
  const isNews = (key: string, object: T): boolean => {
    const before = objects.get(key);
    if (hidden.has(object.metadata.uid)) return false;
    return before === undefined || isNewer(object, before);
  };

  return {
    get: (key) => objects.get(nameOfKey(key)),
    values: () => objects.values(),
    size: () => objects.size,
    byIndex: (name, value) => {
      const index = indexes.get(name);
      if (index === undefined) throw new TypeError(`this cache has no index "${name}"`);
      return [...index.keys(value)].map((key) => objects.get(key)).filter((object) => object !== undefined);
    },
    addIndex: (name, valuesOf) => {
      const index = createObjectIndex(valuesOf);
      for (const [key, object] of objects) index.add(key, object);
      indexes.set(name, index);
    },
    changed: (object) => {
      const key = keyOf(object);
      if (isNews(key, object)) put(key, object, false);
      advance(object.metadata.resourceVersion);
    },
    removed: (object) => {
      const key = keyOf(object);
      hidden.delete(object.metadata.uid);
      const before = objects.get(key);
      const older =
        before === undefined || compareResourceVersions(before.metadata.resourceVersion, object.metadata.resourceVersion) <= 0;
      if (before?.metadata.uid === object.metadata.uid && older) drop(key, object, false);
      advance(object.metadata.resourceVersion);
    },
    passed: advance,
    replaced: (list, resourceVersion) => {
      const listed = new Map(list.map((object) => [keyOf(object), object]));
      const uids = new Set(list.map((object) => object.metadata.uid));
      for (const uid of hidden) if (!uids.has(uid)) hidden.delete(uid);
      for (const [key, object] of objects) {
        const newer = compareResourceVersions(object.metadata.resourceVersion, resourceVersion) > 0; // written by us since
        if (!listed.has(key) && !newer) drop(key, object, false);
      }
      for (const [key, object] of listed) if (isNews(key, object)) put(key, object, false);
      advance(resourceVersion);
      state.filled = true;
    },
    wrote: (object, selected) => {
      // What the watch has passed is contained already: if the object is not there, it was deleted since.
      if (compareResourceVersions(object.metadata.resourceVersion, state.seen) <= 0) return;
      const key = keyOf(object);
      if (selected && isNews(key, object)) put(key, object, true);
      const before = objects.get(key);
      if (!selected && before?.metadata.uid === object.metadata.uid && isNewer(object, before)) drop(key, object, true);
    },
    deletedByUs: (key, uid) => {
      hidden.add(uid);
      forgetOldest(hidden);
      const name = nameOfKey(key);
      const before = objects.get(name);
      if (before?.metadata.uid === uid) drop(name, before, true);
    },
  };
}

/**
 * When the watch was faster than the answer, nothing takes a hidden uid back out; so the oldest go. One that went too early
 * would show a stale object for a moment, after thousands of deletes within one watch delay.
 */
const mostHidden = 10_000;

function forgetOldest(uids: Set<string>): void {
  if (uids.size <= mostHidden) return;
  const oldest = uids.values().next();
  if (oldest.done !== true) uids.delete(oldest.value);
}

const isNewer = (object: KubeObject, than: KubeObject): boolean =>
  compareResourceVersions(object.metadata.resourceVersion, than.metadata.resourceVersion) > 0;
