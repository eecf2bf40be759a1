/** What every object of the API has. Objects read from the API server or a cache are shared: they are never changed in place. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object with the status that the skeleton (`control`) writes. */
export interface ObjectWithStatus extends KubeObject {
  readonly status?: ControlledStatus;
}

/** The fields of a status that the skeleton itself keeps; a kind adds its own. */
export interface ControlledStatus {
  readonly observedGeneration?: number;
  readonly phase?: string;
  readonly conditions?: readonly Condition[];
}

/** The metadata of an object as the API server gives it. `managedFields` is dropped on the way in. */
export interface ObjectMeta {
  readonly name: string;
  /** Absent on objects that belong to no namespace. */
  readonly namespace?: string;
  readonly uid: string;
  /** Comparable between objects of one resource: see `compareResourceVersions`. */
  readonly resourceVersion: string;
  /** Counts changes of the spec; absent on kinds that have none. */
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** One entry of `status.conditions`, a list map keyed by type. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** A CamelCase word that a program can decide by. */
  readonly reason: string;
  /** For people: what is the case and what to do about it. Stable: no times, lists sorted. */
  readonly message: string;
  readonly lastTransitionTime: string;
  /** The generation of the spec that this was found out about. */
  readonly observedGeneration?: number;
}

/** Where an object is. `namespace` is absent for objects that belong to none. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** The metadata of an object that is sent to be created, updated or applied. */
export interface ManifestMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  /** When given, the write is refused with a conflict unless the object is still this one. */
  readonly uid?: string;
  /** When given, the write is refused with a conflict unless the object is still at this version. */
  readonly resourceVersion?: string;
}

/** An object as one sends it: no status; `apiVersion` and `kind` come from the resource. */
export type Manifest<T extends KubeObject> = { readonly metadata: ManifestMeta } & Omit<
  T,
  "apiVersion" | "kind" | "metadata" | "status"
>;

/** A JSON merge patch: what is absent stays, null removes, lists are replaced whole. */
export type MergePatch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: MergePatch<T[K]> | null }
    : T;

/** The same value, writable in depth: a draft that belongs to one run. */
export type Draft<T> = T extends readonly (infer I)[]
  ? Draft<I>[]
  : T extends object
    ? { -readonly [K in keyof T]: Draft<T[K]> }
    : T;

/** `namespace/name`, or `name` alone: how an object is called in logs, queues and caches. */
export function keyOf(object: { readonly metadata: ObjectKey }): string {
  return nameOfKey(object.metadata);
}

export function nameOfKey({ namespace, name }: ObjectKey): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf("/");
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
