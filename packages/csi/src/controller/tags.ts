import type { Tag, Vdb } from "@vdb/dct";
import type { ClaimName } from "./claim.ts";
import { sourceReference, type VolumeSpec } from "./volume-spec.ts";

/** What the driver writes on a VDB: for people whose it is, for itself what it was asked for when it made it. */
const keys = {
  namespace: "kubernetes/pvc-namespace",
  name: "kubernetes/pvc-name",
  source: "kubernetes/source",
  capacity: "kubernetes/capacity-bytes",
} as const;

export const tagsOf = (claim: ClaimName, spec: VolumeSpec, capacityBytes: number): readonly Tag[] => [
  { key: keys.namespace, value: claim.namespace },
  { key: keys.name, value: claim.name },
  { key: keys.source, value: sourceReference(spec) },
  { key: keys.capacity, value: String(capacityBytes) },
];

/** What a VDB was asked for; undefined where it does not say. */
export const askedSource = (vdb: Vdb): string | undefined => tag(vdb, keys.source);

export function askedCapacityBytes(vdb: Vdb): number | undefined {
  const bytes = Number(tag(vdb, keys.capacity));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const tag = ({ tags = [] }: Vdb, wanted: string): string | undefined => tags.find(({ key }) => key === wanted)?.value;
