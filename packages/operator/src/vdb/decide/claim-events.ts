import type { Event } from "kube-runtime";
import { stableWords } from "../pod/stable-words.ts";

/** Why a claim is not bound, as its events tell. `passes`: the storage tries again and may well succeed. */
export interface ClaimTrouble {
  readonly reason: "StorageFull" | "StorageClassNotFound" | "ProvisioningFailed";
  readonly message: string;
  readonly passes: boolean;
}

/** gRPC codes that say no more than "not yet": csi-provisioner tries again after them. */
const passing = /code = (?:Aborted|DeadlineExceeded|Unavailable|Canceled)/u;

/** The newest warning of a claim, or of a volume that is not deleted, in one condition's words; undefined when there is none. */
export function claimTrouble(events: readonly Event[]): ClaimTrouble | undefined {
  const note = newestFirst(events).find(({ type }) => type === "Warning")?.note;
  if (note === undefined) return undefined;
  const words = stableWords(/desc = (.*)$/su.exec(note)?.[1] ?? note);
  if (/code = ResourceExhausted/u.test(note)) return { reason: "StorageFull", message: withoutRoomLeft(words), passes: false };
  if (/storageclass\S* "[^"]*" not found/iu.test(note)) return { reason: "StorageClassNotFound", message: words, passes: false };
  return { reason: "ProvisioningFailed", message: words, passes: passing.test(note) };
}

/** How much is left is another number with each try, and too little in any case. How much is needed stays. */
function withoutRoomLeft(words: string): string {
  const amount = String.raw`\d[\d.,]*\s*(?:bytes?|[kKMGTPE]i?B?)\b(?:\s*\([^)]*\))?`;
  return words.replaceAll(
    new RegExp(`\\b(?:only )?${amount}(?=\\s+(?:is |are )?(?:free|left|available|remain))`, "gu"),
    "too little",
  );
}

export const newestFirst = (events: readonly Event[]): readonly Event[] => events.toSorted((a, b) => timeOf(b) - timeOf(a));

/** A series counts up in place. An event of the old API, as csi-provisioner writes them, has its newest time in a field of its own. */
function timeOf({ series, deprecatedLastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}
