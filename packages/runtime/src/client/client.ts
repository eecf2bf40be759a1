import type { KubeObject, Manifest, MergePatch, ObjectKey, ObjectMeta } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";

/** Who writes, for server-side apply and for `managedFields`. */
export interface WriteOptions {
  readonly fieldManager?: string;
  /** The API server checks everything and stores nothing. */
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take fields over from other managers. A controller that owns an object wants true. */
  readonly force: boolean;
}

export interface DeleteOptions {
  /** Refused with a conflict unless the object is still this one. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
}

export interface SubresourceRequest {
  readonly name: string;
  /** A patch is a JSON merge patch. */
  readonly verb: "get" | "create" | "update" | "patch";
  /** With its own `apiVersion` and `kind`, unless it is a patch. */
  readonly body?: object;
}

/** Which objects: all namespaces when `namespace` is left out. */
export interface Selection {
  readonly namespace?: string;
  /** As kubectl's `-l`: `app=db,tier!=cache`. */
  readonly labelSelector?: string;
  /** As kubectl's `--field-selector`. */
  readonly fieldSelector?: string;
}

export interface WatchOptions extends Selection {
  /** Where to go on from; left out: from now, after the objects that exist. */
  readonly resourceVersion?: string;
  /** The API server ends the watch after this long. */
  readonly timeoutSeconds?: number;
  /** Begin with all objects as `added`, then a bookmark with `initialEventsEnd` (WatchList, Kubernetes 1.34). */
  readonly sendInitialEvents?: boolean;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  /** A watch from here misses nothing. */
  readonly resourceVersion: string;
}

/** One frame of a watch. An error frame comes out as a thrown ApiError. */
export type WatchEvent<T> =
  | { readonly type: "added" | "modified" | "deleted"; readonly object: T }
  | { readonly type: "bookmark"; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** An object of which only the metadata is read. */
export type MetadataOnly = KubeObject & { readonly metadata: ObjectMeta };

/**
 * Typed access to the API server. Every call takes an AbortSignal, throws ApiError, and is bounded by the request timeout
 * it was made with. Writes are not retried here: a reconcile runs again.
 */
export interface Client {
  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, signal: AbortSignal): Promise<T>;
  /** As get, but undefined when there is no such object. */
  find<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, signal: AbortSignal): Promise<T | undefined>;
  /** All pages. */
  list<T extends KubeObject>(resource: Resource<T>, selection: Selection, signal: AbortSignal): Promise<ObjectList<T>>;
  create<T extends KubeObject>(
    resource: Resource<T>,
    object: Manifest<T>,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  /** Replaces the object; `metadata.resourceVersion` makes it refuse when somebody else was faster. */
  update<T extends KubeObject>(
    resource: Resource<T>,
    object: Manifest<T>,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal, options?: WriteOptions): Promise<T>;
  /** Server-side apply: creates or changes; fields this manager applied before and no longer mentions are removed. */
  apply<T extends KubeObject>(resource: Resource<T>, object: Manifest<T>, options: ApplyOptions, signal: AbortSignal): Promise<T>;
  applyStatus<T extends KubeObject>(
    resource: Resource<T>,
    object: { readonly metadata: ObjectKey; readonly status: object },
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<T>;
  /** JSON merge patch. `metadata.resourceVersion` or `metadata.uid` in the patch make it refuse when the object is another. */
  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: MergePatch<T>,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  patchStatus<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: MergePatch<T>,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  /** The object as it is now, when it stays for its finalizers or grace period; undefined when it is gone. Throws notFound. */
  delete<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    signal: AbortSignal,
    options?: DeleteOptions,
  ): Promise<T | undefined>;
  /** A subresource other than status, such as `scale`, `eviction` or `token`. Its answer is of another kind: decode it. */
  subresource<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    request: SubresourceRequest,
    signal: AbortSignal,
  ): Promise<unknown>;
  /** One watch, until the API server ends it or an error is thrown. Most want `manager.cacheFor` instead. */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
}
