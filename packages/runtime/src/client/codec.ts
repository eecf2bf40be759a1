import type { KubeObject } from "../objects/object.ts";
import { apiVersionOf, type Resource } from "../objects/resource.ts";
import { errorMessage } from "../support/error-message.ts";
import { isRecord } from "../support/json.ts";
import type { ApiCall } from "./api.ts";
import { ApiError } from "./api-error.ts";
import { describeCall } from "./call-path.ts";

/** What a client sends: `apiVersion` and `kind` come from the resource. */
export function encodeObject<T extends KubeObject>(resource: Resource<T>, object: object): object {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/**
 * The border: unknown comes in, `T` goes out. `apiVersion` and `kind` are filled in (items of a list have none, and a
 * metadata-only one has another), `managedFields` is dropped. The value is this answer's own, so it is changed in place.
 */
export function decodeObject<T extends KubeObject>(resource: Resource<T>, value: unknown, call: ApiCall): T {
  if (!isWireObject(value)) throw badAnswer(call, "it is not an object with a name");
  value.apiVersion = apiVersionOf(resource);
  value.kind = resource.kind;
  delete value.metadata.managedFields;
  try {
    return decodeWith(resource, value);
  } catch (error) {
    throw badAnswer(call, errorMessage(error));
  }
}

/** `resource.decode`, or the API server's word. Throws what the decoder throws. */
export function decodeWith<T extends KubeObject>(resource: Resource<T>, value: KubeObject): T {
  return (resource.decode ?? trusted<T>)(value);
}

/** Without a decoder the API server is trusted: it checked the object against its schema. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says which type the API server promised
function trusted<T extends KubeObject>(value: KubeObject): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where the API server's word makes a type
  return value as T;
}

/**
 * What a delete gives back: the object when it stays for a while, undefined when it is gone. Some registries (Services,
 * ServiceAccounts, StorageClasses) answer with the object although it is gone; a Namespace stays with a deletion time alone.
 */
export function decodeGone<T extends KubeObject>(resource: Resource<T>, value: unknown, call: ApiCall): T | undefined {
  if (isRecord(value) && value["kind"] === "Status") return undefined;
  const object = decodeObject(resource, value, call);
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = object.metadata;
  const stays = deletionTimestamp !== undefined && (finalizers.length > 0 || deletionGracePeriodSeconds !== 0);
  return stays ? object : undefined;
}

/** An object fresh from the wire, still writable. */
type WireObject = { apiVersion: string; kind: string; metadata: KubeObject["metadata"] & { managedFields?: unknown } };

/** What every object has; the rest is the API server's word, or `resource.decode`'s. */
function isWireObject(value: unknown): value is WireObject {
  return isRecord(value) && isRecord(value["metadata"]) && typeof value["metadata"]["name"] === "string";
}

export const badAnswer = (call: ApiCall, why: string): ApiError =>
  new ApiError({ kind: "badAnswer" }, `${describeCall(call)}: unexpected answer: ${why}`);
