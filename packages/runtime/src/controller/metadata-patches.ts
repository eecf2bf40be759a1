import type { Client } from "../client/client.ts";
import type { MergePatch, ObjectWithStatus } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import { hasFinalizer } from "./finalizer.ts";
import type { Run } from "./kind.ts";
import type { StatusDraft } from "./status-draft.ts";

interface Parts<T extends ObjectWithStatus> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly object: T;
  readonly finalizer: string | undefined;
  readonly status: StatusDraft<T>;
}

/** One run's changes of its object's metadata. A finalizer that is missing comes with the first of them. */
export function patchesOf<T extends ObjectWithStatus>({
  client,
  resource,
  object,
  finalizer,
  status,
}: Parts<T>): Pick<Run<T>, "patchMetadata" | "addFinalizer"> {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  let isThere = finalizer === undefined || deletionTimestamp !== undefined || hasFinalizer(object, finalizer);
  const patchMetadata = async (metadata: object, signal: AbortSignal): Promise<void> => {
    // Refused when the object moved on: the list would overwrite somebody else's.
    const added: object = isThere ? {} : { resourceVersion: status.resourceVersion(), finalizers: [...finalizers, finalizer] };
    const patch: object = { metadata: { ...metadata, ...added } };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- metadata is the same for every kind
    status.follow(await client.patch(resource, object.metadata, patch as MergePatch<T>, signal));
    isThere = true;
  };
  return {
    patchMetadata,
    addFinalizer: async (signal) => (isThere ? undefined : await patchMetadata({}, signal)),
  };
}
