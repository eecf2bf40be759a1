import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { ApiCall } from "../client/api.ts";
import { ApiError, type ApiFailure } from "../client/api-error.ts";
import { describeCall } from "../client/call-path.ts";
import { asRecord } from "../support/json.ts";
import { applyMergePatch } from "./merge-patch.ts";

/** An object as it is stored: plain JSON. */
export type Stored = Readonly<Record<string, unknown>> & { readonly metadata: StoredMeta };

export interface StoredMeta {
  readonly [field: string]: unknown;
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly collection: string;
  readonly version: number;
  readonly object: Stored;
  /** Before the change: a watch with a selector tells of an object that leaves it as deleted. */
  readonly before: Stored | undefined;
}

export const failed = (call: ApiCall, failure: ApiFailure, message: string, status: number): ApiError =>
  new ApiError(failure, `${describeCall(call)}: ${message}`, { status });

export const collectionOf = ({ resource }: ApiCall): string => `${resource.group}/${resource.plural}`;
const nameIn = (namespace: string | undefined, name: string): string => `${namespace ?? ""}/${name}`;

/** What an API server stores, with the rules of a custom resource that has a status subresource. */
export interface MemoryStore {
  readonly version: () => number;
  readonly all: (collection: string) => readonly Stored[];
  readonly read: (call: ApiCall) => Stored;
  readonly create: (call: ApiCall) => Stored;
  readonly update: (call: ApiCall) => Stored;
  readonly mergePatch: (call: ApiCall) => Stored;
  /** The object when it stays for its finalizers, undefined when it is gone. */
  readonly remove: (call: ApiCall) => Stored | undefined;
}

export function createMemoryStore(now: () => string, onChange: (change: Change) => void): MemoryStore {
  const collections = new Map<string, Map<string, Stored>>();
  const state = { version: 100 };
  const objectsOf = (collection: string): Map<string, Stored> => {
    const present = collections.get(collection) ?? new Map<string, Stored>();
    collections.set(collection, present);
    return present;
  };
  const store = (call: ApiCall, type: Change["type"], object: Stored, before: Stored | undefined): Stored => {
    state.version += 1;
    const stamped: Stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(state.version) } };
    const objects = objectsOf(collectionOf(call));
    const key = nameIn(stamped.metadata.namespace, stamped.metadata.name);
    if (type === "DELETED") objects.delete(key);
    else objects.set(key, stamped);
    onChange({ type, collection: collectionOf(call), version: state.version, object: stamped, before });
    return stamped;
  };
  const read = (call: ApiCall): Stored => {
    const object = objectsOf(collectionOf(call)).get(nameIn(call.namespace, call.name ?? ""));
    if (object === undefined) throw failed(call, { kind: "notFound" }, "not found", 404);
    return object;
  };
  /** Every write of an object that exists comes through here. */
  const replace = (call: ApiCall, wanted: Readonly<Record<string, unknown>>): Stored => {
    const before = read(call);
    const given = asRecord(wanted["metadata"]);
    const stale = given["resourceVersion"] !== undefined && given["resourceVersion"] !== before.metadata.resourceVersion;
    if (stale || (given["uid"] !== undefined && given["uid"] !== before.metadata.uid)) {
      throw failed(call, { kind: "conflict" }, "the object has been modified", 409);
    }
    const after = call.subresource === "status" ? { ...before, status: wanted["status"] } : withoutStatus(before, wanted, given);
    const changed = specChanged(before, after) ? nextGeneration(after) : after;
    if (isDeepStrictEqual(plain(changed), plain(before))) return before; // a write that changes nothing makes no version and no event
    const { deletionTimestamp, finalizers } = changed.metadata;
    const over = deletionTimestamp !== undefined && (finalizers ?? []).length === 0;
    return store(call, over ? "DELETED" : "MODIFIED", changed, before);
  };
  return {
    version: () => state.version,
    all: (collection) => [...objectsOf(collection).values()],
    read,
    create: (call) => {
      const body = asRecord(call.body);
      const metadata = asRecord(body["metadata"]);
      const name = typeof metadata["name"] === "string" ? metadata["name"] : "";
      if (name === "")
        throw failed(
          call,
          { kind: "invalid", causes: [{ field: "metadata.name", reason: "FieldValueRequired", message: "Required value" }] },
          "metadata.name: Required value",
          422,
        );
      if (objectsOf(collectionOf(call)).has(nameIn(call.namespace, name)))
        throw failed(call, { kind: "alreadyExists" }, "already exists", 409);
      const { status: _dropped, ...content } = body;
      const place = call.namespace === undefined ? {} : { namespace: call.namespace };
      const generation = content["spec"] === undefined ? {} : { generation: 1 };
      const stamp = {
        ...metadata,
        ...place,
        ...generation,
        name,
        uid: randomUUID(),
        creationTimestamp: now(),
        resourceVersion: "",
      };
      return store(call, "ADDED", plain({ ...content, metadata: stamp }), undefined);
    },
    update: (call) => replace(call, asRecord(call.body)),
    mergePatch: (call) => {
      const before = read(call);
      const patch = asRecord(call.body);
      const preconditions = asRecord(patch["metadata"]);
      const merged = asRecord(applyMergePatch(before, patch));
      const metadata = {
        ...asRecord(merged["metadata"]),
        resourceVersion: preconditions["resourceVersion"],
        uid: preconditions["uid"],
      };
      return replace(call, { ...merged, metadata });
    },
    remove: (call) => {
      const before = read(call);
      const { uid, resourceVersion } = asRecord(asRecord(call.body)["preconditions"]);
      const stale =
        (uid !== undefined && uid !== before.metadata.uid) ||
        (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion);
      if (stale) throw failed(call, { kind: "conflict" }, "the precondition does not hold", 409);
      if ((before.metadata.finalizers ?? []).length === 0) {
        store(call, "DELETED", before, before);
        return undefined;
      }
      if (before.metadata.deletionTimestamp !== undefined) return before;
      return store(
        call,
        "MODIFIED",
        nextGeneration({ ...before, metadata: { ...before.metadata, deletionTimestamp: now() } }),
        before,
      );
    },
  };
}

/** A write of the object itself: status stays, and so does what the API server alone decides. */
function withoutStatus(
  before: Stored,
  wanted: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Stored {
  const { name, namespace, uid, resourceVersion, creationTimestamp, generation, deletionTimestamp } = before.metadata;
  const fixed = { name, namespace, uid, resourceVersion, creationTimestamp, generation, deletionTimestamp };
  return plain({ ...wanted, status: before["status"], metadata: { ...given, ...fixed } });
}

function specChanged(before: Stored, after: Stored): boolean {
  const { metadata: _a, status: _b, ...was } = before;
  const { metadata: _c, status: _d, ...is } = after;
  return !isDeepStrictEqual(plain(was), plain(is));
}

const nextGeneration = (object: Stored): Stored => {
  const { generation } = object.metadata;
  return generation === undefined ? object : { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
};

/** A copy without fields that are undefined, as JSON has none. */
function plain(value: object): Stored {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- callers hand in what they have made a Stored of
  return JSON.parse(JSON.stringify(value)) as Stored;
}
