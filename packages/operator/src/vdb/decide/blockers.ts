import type { KubeObject, PersistentVolume, PersistentVolumeClaim, Pod } from "kube-runtime";

/** Kubernetes' own: it goes by itself when its reason does. */
const protection = "kubernetes.io/pvc-protection";
/** The provisioner removes it from a volume when the driver has deleted the data: until then the volume tells what is left to do. */
const untilDeleted = "external-provisioner.volume.kubernetes.io/finalizer";

/** Pure: what keeps an object that is being deleted, in words to put behind what the operator waits for; empty: nothing of note. */
export function keptBy({ metadata: { finalizers = [] } }: KubeObject, what: string): string {
  const foreign = finalizers.filter((name) => name !== protection).toSorted();
  if (foreign.length === 0) return "";
  const [it, them] = foreign.length === 1 ? ["finalizer", "it"] : ["finalizers", "them"];
  return `: ${it} ${foreign.join(", ")} of the ${what} keeps it; whoever has set ${them} has to remove ${them}`;
}

/** Pure: whether a pod has a claim mounted, or is about to. */
export const usesClaim = ({ spec, status }: Pod, claim: string): boolean =>
  status?.phase !== "Succeeded" &&
  status?.phase !== "Failed" &&
  spec.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim) === true;

/** Pure: the same of a claim, which Kubernetes keeps as long as a pod uses it. */
export function claimKeptBy(claim: PersistentVolumeClaim, pods: readonly Pod[]): string {
  const { name } = claim.metadata;
  const users = pods
    .filter((pod) => usesClaim(pod, name))
    .map(({ metadata }) => metadata.name)
    .toSorted();
  return users.length === 0 ? keptBy(claim, "claim") : `: pod ${users.join(", ")} still uses it; delete the pod`;
}

/** Pure: whether the driver deletes the data of this volume even if nobody asks for it any more. */
export const isLeftToDriver = ({ metadata, spec, status }: PersistentVolume): boolean =>
  spec.persistentVolumeReclaimPolicy === "Delete" &&
  (status?.phase === "Released" || status?.phase === "Failed") &&
  metadata.finalizers?.includes(untilDeleted) === true;
