import { defineResource, type KubeObject } from "kube-runtime";

const snapshots = { group: "snapshot.storage.k8s.io", version: "v1" } as const;

interface VolumeSnapshot extends KubeObject {
  readonly spec: { readonly source: { readonly persistentVolumeClaimName?: string } };
}
export const volumeSnapshots = defineResource<VolumeSnapshot>({
  ...snapshots,
  kind: "VolumeSnapshot",
  plural: "volumesnapshots",
  namespaced: true,
});
export const volumeSnapshotClasses = defineResource<KubeObject & { readonly driver: string }>({
  ...snapshots,
  kind: "VolumeSnapshotClass",
  plural: "volumesnapshotclasses",
  namespaced: false,
});
export const csiDrivers = defineResource<KubeObject>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  namespaced: false,
});
