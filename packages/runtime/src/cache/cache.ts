import type { KubeObject, ObjectKey } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";

/** The values under which an object is found; none: it is not in this index. */
export type IndexFunction<T> = (object: T) => readonly string[];

export interface CacheOptions<T extends KubeObject> {
  /** Left out: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Keep metadata alone: for kinds of which only existence, labels or owners matter. */
  readonly metadataOnly?: boolean;
  /** Named indexes for `byIndex`. The index `owner` (uid of the controlling owner) is always there. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
}

/**
 * One change of the cache. `origin`: the name of the controller whose own status write brought it. That controller knows it
 * already; for everybody else it is news.
 */
export type CacheEvent<T> =
  | { readonly type: "added"; readonly object: T; readonly initial: boolean; readonly origin: string | undefined }
  | { readonly type: "updated"; readonly object: T; readonly before: T; readonly origin: string | undefined }
  | { readonly type: "deleted"; readonly object: T; readonly origin: string | undefined };

/**
 * What the API server holds of one resource, kept up to date by a watch.
 *
 * Guarantees: after a write through the manager's client resolved, reads give that write or something newer; versions of an
 * object never go backwards; an object deleted and made anew under the same name is seen as both.
 * Caveats: reads may be behind other people's writes; the objects are shared, never change them.
 */
export interface Cache<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Undefined when there is no such object, or it does not match the selectors. */
  readonly get: (key: ObjectKey) => T | undefined;
  readonly list: (namespace?: string) => readonly T[];
  /** The objects for which the index gives `value`. Throws when there is no such index: that is a bug. */
  readonly byIndex: (index: string, value: string) => readonly T[];
  /** The objects whose controlling owner is this one. */
  readonly ownedBy: (owner: KubeObject) => readonly T[];
  /** Whether everything that existed at the start has been read. */
  readonly synced: () => boolean;
  readonly waitForSync: (signal: AbortSignal) => Promise<void>;
  /** Calls `listener` for every object there is and every change. Returns what ends it. A throwing listener is logged. */
  readonly subscribe: (listener: (event: CacheEvent<T>) => void) => () => void;
}
