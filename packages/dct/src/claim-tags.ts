import type { Tag } from "./contract/places.ts";

/** By these tags of a VDB the CSI driver says whose it is. */
export const claimTags = { namespace: "kubernetes/pvc-namespace", name: "kubernetes/pvc-name" } as const;

/** The PersistentVolumeClaim that a VDB was made for, as `namespace/name`; undefined where no tags say so. */
export function claimIn(tags: readonly Tag[] = []): string | undefined {
  const valueOf = (wanted: string): string | undefined => tags.find(({ key }) => key === wanted)?.value;
  const [namespace, name] = [valueOf(claimTags.namespace), valueOf(claimTags.name)];
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
}
