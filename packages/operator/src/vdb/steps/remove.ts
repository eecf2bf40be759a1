import { isApiError, isControlledBy, type KubeObject, type ObjectKey, type Resource } from "kube-runtime";
import type { VdbContext } from "../context.ts";

type Client = VdbContext["run"]["client"];

/** Deletes an object. Does nothing when the object is gone, or when another one has its name. */
export async function removeIfThere<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  key: ObjectKey,
  signal: AbortSignal,
  options: { readonly preconditions?: { readonly uid: string } } = {},
): Promise<void> {
  try {
    await client.delete(resource, key, signal, { propagationPolicy: "Background", ...options });
  } catch (error) {
    if (!isApiError(error, "notFound", "conflict")) throw error;
  }
}

/** Deletes one of the database's own objects. The caches see those with the operator's label alone, so that one that lost it is asked for. */
export async function removeOwn<T extends KubeObject>(
  { run, vdb }: Pick<VdbContext, "run" | "vdb">,
  resource: Resource<T>,
  key: ObjectKey,
  cached: T | undefined,
  signal: AbortSignal,
): Promise<void> {
  const found = cached ?? (await run.client.find(resource, key, signal));
  if (found === undefined || found.metadata.deletionTimestamp !== undefined || !isControlledBy(found, vdb)) return;
  await removeIfThere(run.client, resource, key, signal, { preconditions: { uid: found.metadata.uid } });
}
