import type { Answer } from "./driver.ts";
import { claimNamespace } from "./kubernetes.ts";

const capability = { mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } };

/** What the stock provisioner sends for a claim. */
export const createRequest = (name: string, claim: string): object => ({
  name,
  capacityRange: { requiredBytes: 1 << 30 },
  volumeCapabilities: [capability],
  parameters: { "csi.storage.k8s.io/pvc/namespace": claimNamespace, "csi.storage.k8s.io/pvc/name": claim },
});

/** What the stock snapshotter sends for a VolumeSnapshot. */
export const snapshotRequest = (name: string, { id }: Pick<Volume, "id">): object => ({
  name,
  sourceVolumeId: id,
  parameters: {
    "csi.storage.k8s.io/volumesnapshot/namespace": claimNamespace,
    "csi.storage.k8s.io/volumesnapshot/name": name,
  },
});

export function createdSnapshot(answer: Answer): string {
  if (!("message" in answer)) throw new Error(`CreateSnapshot: ${answer.code} ${answer.details}`);
  return JSON.parse(JSON.stringify(answer.message)).snapshot.snapshotId;
}

export interface Volume {
  readonly id: string;
  readonly context: Readonly<Record<string, string>>;
  readonly nodes: readonly string[];
}

/** What the kubelet sends for a pod. */
export const publishRequest = ({ id, context }: Volume, targetPath: string, readonly = false): object => ({
  volumeId: id,
  volumeContext: context,
  targetPath,
  readonly,
  volumeCapability: capability,
});

export function createdVolume(answer: Answer): Volume {
  if (!("message" in answer)) throw new Error(`CreateVolume: ${answer.code} ${answer.details}`);
  const { volume } = JSON.parse(JSON.stringify(answer.message));
  return {
    id: volume.volumeId,
    context: volume.volumeContext,
    nodes: volume.accessibleTopology.flatMap((one: { segments: object }) => Object.values(one.segments)),
  };
}
