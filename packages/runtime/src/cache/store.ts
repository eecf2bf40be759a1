import { type KubeObject, keyOf, nameOfKey, type ObjectKey } from "../objects/object.ts";
import { compareResourceVersions } from "../objects/resource-version.ts";
import type { CacheEvent, IndexFunction } from "./cache.ts";
import { createObjectIndex, type ObjectIndex } from "./object-index.ts";

/**
 * The objects of one cache, and the only place where they change.
 *
 * Invariants: of one object (uid) versions only grow; `seen` is how far the watch has come, and everything up to it is
 * contained; an own write newer than `seen` is kept until the watch has passed it; what an own write deleted or took out of the
 * selection is not brought back by what the watch or a list tells of earlier versions.
 */
export interface Store<T extends KubeObject> {
  readonly get: (key: ObjectKey) => T | undefined;
  readonly values: () => Iterable<T>;
  readonly size: () => number;
  readonly byIndex: (index: string, value: string) => readonly T[];
  readonly addIndex: (name: string, valuesOf: IndexFunction<T>) => void;
  /** The watch told that the object is so. */
  readonly changed: (object: T) => void;
  /** The watch told that it is gone, or no longer selected. `last`: its last state, where that could be read. */
  readonly removed: (object: KubeObject, last?: T) => void;
  /** A bookmark: nothing happened up to here. */
  readonly passed: (resourceVersion: string) => void;
  /** A whole list as of `resourceVersion`. */
  readonly replaced: (objects: readonly T[], resourceVersion: string) => void;
  /** A write of this process was answered with this object. `selected`: whether it belongs into this cache. */
  readonly wrote: (object: T, selected: boolean, origin?: string) => void;
  /** A delete of this process was answered: the object with this uid is gone. */
  readonly deletedByUs: (key: ObjectKey, uid: string) => void;
}

export function createStore<T extends KubeObject>(emit: (event: CacheEvent<T>) => void): Store<T> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, ObjectIndex<T>>();
  const hidden = new Map<string, string>(); // uids that we took out → up to which version they stay out
  const written = new Map<string, string>(); // uids that we wrote → the version, until the watch has told of it
  const state = { seen: "", filled: false };

  const put = (key: string, object: T, origin: string | undefined): void => {
    const before = objects.get(key);
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) drop(key, before, origin);
    const same = objects.get(key);
    for (const index of indexes.values()) {
      if (same !== undefined) index.remove(key, same);
      index.add(key, object);
    }
    objects.set(key, object);
    if (same === undefined) emit({ type: "added", object, initial: !state.filled, origin });
    else emit({ type: "updated", object, before: same, origin });
  };
  /** `last` is the final state, when it is known. */
  const drop = (key: string, last: T, origin: string | undefined): void => {
    const before = objects.get(key);
    if (before === undefined) return;
    for (const index of indexes.values()) index.remove(key, before);
    objects.delete(key);
    emit({ type: "deleted", object: last, origin });
  };
  const advance = (resourceVersion: string): void => {
    if (compareResourceVersions(resourceVersion, state.seen) > 0) state.seen = resourceVersion;
  };
  const isHidden = ({ metadata }: T): boolean => {
    const floor = hidden.get(metadata.uid);
    return floor !== undefined && (floor === forever || compareResourceVersions(metadata.resourceVersion, floor) <= 0);
  };
  const hide = (uid: string, floor: string): void => {
    hidden.set(uid, floor);
    forgetOldest(hidden);
    written.delete(uid);
  };
  const isNews = (key: string, object: T): boolean => {
    const before = objects.get(key);
    if (isHidden(object)) return false;
    return before === undefined || isNewer(object, before);
  };
  /** Everything we know is from a time that the API server has no longer: it was restored from a backup. */
  const forgetAll = (): void => {
    hidden.clear();
    written.clear();
    state.seen = "";
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
      const { uid, resourceVersion } = object.metadata;
      const key = keyOf(object);
      if (isNews(key, object)) put(key, object, undefined);
      if (compareResourceVersions(resourceVersion, written.get(uid) ?? "") >= 0) written.delete(uid);
      advance(resourceVersion);
    },
    removed: ({ metadata }, last) => {
      const key = nameOfKey(metadata);
      const before = objects.get(key);
      const older =
        before === undefined || compareResourceVersions(before.metadata.resourceVersion, metadata.resourceVersion) <= 0;
      if (before?.metadata.uid === metadata.uid && older) drop(key, last ?? before, undefined);
      if (older) written.delete(metadata.uid);
      advance(metadata.resourceVersion);
    },
    passed: advance,
    replaced: (list, resourceVersion) => {
      const restored = compareResourceVersions(resourceVersion, state.seen) < 0;
      if (restored) forgetAll();
      for (const [uid, version] of written) if (compareResourceVersions(version, resourceVersion) <= 0) written.delete(uid);
      const listed = new Map(list.map((object) => [keyOf(object), object]));
      for (const [key, object] of objects) {
        const { uid } = object.metadata;
        if (listed.get(key)?.metadata.uid !== uid && !written.has(uid)) drop(key, object, undefined);
      }
      for (const [key, object] of listed) {
        const differs = objects.get(key)?.metadata.resourceVersion !== object.metadata.resourceVersion;
        if (restored ? differs : isNews(key, object)) put(key, object, undefined);
      }
      advance(resourceVersion);
      state.filled = true;
    },
    wrote: (object, selected, origin) => {
      const { uid, resourceVersion } = object.metadata;
      // What the watch has passed is contained already: if the object is not there, it was deleted since.
      if (compareResourceVersions(resourceVersion, state.seen) <= 0) return;
      const key = keyOf(object);
      const before = objects.get(key);
      if (selected && isNews(key, object)) {
        put(key, object, origin);
        written.set(uid, resourceVersion);
      }
      if (selected || (before?.metadata.uid === uid && !isNewer(object, before))) return;
      if (!isHidden(object)) hide(uid, resourceVersion);
      if (before?.metadata.uid === uid) drop(key, before, origin);
    },
    deletedByUs: (key, uid) => {
      hide(uid, forever);
      const name = nameOfKey(key);
      const before = objects.get(name);
      if (before?.metadata.uid === uid) drop(name, before, undefined);
    },
  };
}

/** A uid that was deleted never comes back. */
const forever = "";

/** Nothing tells when the watch is past a delete of ours, so the oldest go: after thousands more, nothing of then is under way. */
const mostHidden = 10_000;

function forgetOldest(uids: Map<string, string>): void {
  if (uids.size <= mostHidden) return;
  const oldest = uids.keys().next();
  if (oldest.done !== true) uids.delete(oldest.value);
}

const isNewer = (object: KubeObject, than: KubeObject): boolean =>
  compareResourceVersions(object.metadata.resourceVersion, than.metadata.resourceVersion) > 0;
