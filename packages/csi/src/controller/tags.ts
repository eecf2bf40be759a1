import { claimTags, type Tag, type Vdb } from "@vdb/dct";
import type { ClaimName } from "./claim.ts";

/** What the driver writes on a VDB: for people whose it is, for itself what it was asked for when it made it. */
const keys = {
  ...claimTags,
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
  capacityTag(capacityBytes),
  { key: keys.ownership, value: ownership },
];

/** Every volume of this driver has it. */
export const capacityKey = keys.capacity;
/** Written again, with more, by each expansion: the largest holds. */
export const capacityTag = (bytes: number): Tag => ({ key: keys.capacity, value: String(bytes) });

/** What a VDB was asked for; undefined where it does not say. */
export const askedSource = (vdb: Vdb): string | undefined => tag(vdb, keys.source);
export const askedOwnership = (vdb: Vdb): string | undefined => tag(vdb, keys.ownership);

export function askedCapacityBytes({ tags = [] }: Vdb): number | undefined {
  const sizes = tags.flatMap(({ key, value }) => (key === keys.capacity && /^\d+$/u.test(value) ? Number(value) : []));
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

const tag = ({ tags = [] }: Vdb, wanted: string): string | undefined => tags.find(({ key }) => key === wanted)?.value;
