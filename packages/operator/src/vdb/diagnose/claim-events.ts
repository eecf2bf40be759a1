import type { Event } from "kube-runtime";

/** Why a claim is not bound, as its events tell. `passes`: the storage tries again and may well succeed. */
export interface ClaimTrouble {
  readonly reason: "StorageFull" | "StorageClassNotFound" | "ProvisioningFailed";
  readonly message: string;
  readonly passes: boolean;
}

/** gRPC codes that say no more than "not yet": csi-provisioner tries again after them. */
const passing = /code = (?:Aborted|DeadlineExceeded|Unavailable|Canceled)/u;

/** The newest warning of a claim in one condition's words; undefined when there is none. */
export function claimTrouble(events: readonly Event[]): ClaimTrouble | undefined {
  const newest = events.filter(({ type }) => type === "Warning").toSorted((a, b) => timeOf(b) - timeOf(a))[0];
  const note = newest?.note;
  if (note === undefined) return undefined;
  const words = /desc = (.*)$/su.exec(note)?.[1] ?? note;
  if (/code = ResourceExhausted/u.test(note)) return { reason: "StorageFull", message: words, passes: false };
  if (/storageclass\S* "[^"]*" not found/iu.test(note)) return { reason: "StorageClassNotFound", message: words, passes: false };
  return { reason: "ProvisioningFailed", message: words, passes: passing.test(note) };
}

/** A series counts up in place. An event of the old API, as csi-provisioner writes them, has its newest time in a field of its own. */
function timeOf({ series, deprecatedLastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}
