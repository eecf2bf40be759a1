import { isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import type { KubeObject, MergePatch, ObjectKey } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";

export const hasFinalizer = (object: KubeObject, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) === true;

/** Adds it when it is missing. Throws a conflict when the object moved on: the list would overwrite somebody else's. */
export async function addFinalizer<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  signal: AbortSignal,
): Promise<T> {
  if (hasFinalizer(object, finalizer)) return object;
  return setFinalizers(client, resource, object, [...(object.metadata.finalizers ?? []), finalizer], signal);
}

/** Removes it. An object that is gone already is as wanted. */
export async function removeFinalizer<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const rest = (object.metadata.finalizers ?? []).filter((present) => present !== finalizer);
  try {
    await setFinalizers(client, resource, object, rest, signal);
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
  }
}

function setFinalizers<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  { metadata }: T,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<T> {
  const key: ObjectKey =
    metadata.namespace === undefined ? { name: metadata.name } : { namespace: metadata.namespace, name: metadata.name };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- metadata is the same for every kind
  const patch = { metadata: { resourceVersion: metadata.resourceVersion, finalizers } } as MergePatch<T>;
  return client.patch(resource, key, patch, signal);
}
