import type { Tag, Vdb } from "@vdb/dct";
import type { ClaimName } from "./claim.ts";

/** What the driver writes on a VDB: for people whose it is, for itself what it was asked for when it made it. */
const keys = {
  namespace: "kubernetes/pvc-namespace",
  name: "kubernetes/pvc-name",
  source: "kubernetes/source",
  capacity: "kubernetes/capacity-bytes",
  ownership: "kubernetes/ownership-spec",
} as const;

export interface Asked {
  readonly claim: ClaimName;
  /** `engine:source`, or the snapshot or volume that the claim names. */
  readonly source: string;
  readonly capacityBytes: number;
  /** `uid:gid` of the data. */
  readonly ownership: string;
}

export const tagsOf = ({ claim, source, capacityBytes, ownership }: Asked): readonly Tag[] => [
  { key: keys.namespace, value: claim.namespace },
  { key: keys.name, value: claim.name },
  { key: keys.source, value: source },
  { key: keys.capacity, value: String(capacityBytes) },
  { key: keys.ownership, value: ownership },
];

/** What a VDB was asked for; undefined where it does not say. */
export const askedSource = (vdb: Vdb): string | undefined => tag(vdb, keys.source);
export const askedOwnership = (vdb: Vdb): string | undefined => tag(vdb, keys.ownership);

export function askedCapacityBytes(vdb: Vdb): number | undefined {
  const bytes = Number(tag(vdb, keys.capacity));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const tag = ({ tags = [] }: Vdb, wanted: string): string | undefined => tags.find(({ key }) => key === wanted)?.value;
