/** What the snapshot-controller and a CSI driver do, played on an API server in memory, in the namespace `shop`. */
import type { PostgresVDB } from "@vdb/api";
import { type Client, persistentVolumeClaims, persistentVolumes, storageClasses } from "kube-runtime";
import { childLabels, ownerOf } from "../../vdb/names.ts";
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from "../csi/volume-snapshots.ts";

const namespace = "shop";
export const driver = "d.example";
/** When every snapshot is taken. */
export const takenAt = "2026-01-01T00:20:00Z";
const { signal } = new AbortController();

const aClaim = { storageClassName: "fast", accessModes: ["ReadWriteOnce" as const], resources: { requests: { storage: "1Gi" } } };

/** The classes of a driver; the first claim of a database; a claim of somebody else's, `origin`; a snapshot of that, `monday`. */
export async function makeStorage(client: Client, vdb: PostgresVDB): Promise<void> {
  await client.create(storageClasses, { metadata: { name: "fast" }, provisioner: driver }, signal);
  await client.create(volumeSnapshotClasses, { metadata: { name: "fast" }, driver }, signal);
  await client.create(persistentVolumeClaims, { metadata: { name: "origin", namespace }, spec: aClaim }, signal);
  const metadata = { name: "orders-c1", namespace, labels: childLabels(vdb), ownerReferences: ownerOf(vdb) };
  await client.create(persistentVolumeClaims, { metadata, spec: aClaim }, signal);
  await makeSnapshot(client, "monday", "origin");
  await playStorage(client);
}

export async function makeSnapshot(client: Client, name: string, claim: string, labels: Readonly<Record<string, string>> = {}) {
  const spec = { source: { persistentVolumeClaimName: claim } };
  await client.create(volumeSnapshots, { metadata: { name, namespace, labels }, spec }, signal);
}

/** One turn: what is asked for is there. */
export async function playStorage(client: Client): Promise<void> {
  for (const { metadata, status } of (await client.list(volumeSnapshots, { namespace }, signal)).items)
    if (status?.boundVolumeSnapshotContentName === undefined) await take(client, metadata.name);
  for (const { metadata, status } of (await client.list(persistentVolumeClaims, { namespace }, signal)).items)
    if (status?.phase !== "Bound") await bind(client, metadata.name);
}

async function take(client: Client, name: string): Promise<void> {
  const content = `content-of-${name}`;
  const volumeSnapshotRef = { namespace, name };
  const spec = { driver, deletionPolicy: "Delete" as const, source: {}, volumeSnapshotRef };
  if ((await client.find(volumeSnapshotContents, { name: content }, signal)) === undefined)
    await client.create(volumeSnapshotContents, { metadata: { name: content }, spec }, signal);
  await client.patchStatus(
    volumeSnapshotContents,
    { name: content },
    { status: { snapshotHandle: `handle-of-${name}` } },
    signal,
  );
  const status = {
    boundVolumeSnapshotContentName: content,
    creationTime: takenAt,
    readyToUse: true,
    restoreSize: "1Gi",
  };
  await client.patchStatus(volumeSnapshots, { namespace, name }, { status }, signal);
}

async function bind(client: Client, name: string): Promise<void> {
  const key = { namespace, name };
  const volume = `pv-of-${name}`;
  const csi = { driver, volumeHandle: `handle-of-${name}` };
  await client.create(persistentVolumes, { metadata: { name: volume }, spec: { csi } }, signal);
  await client.patch(persistentVolumeClaims, key, { spec: { volumeName: volume } }, signal);
  const status = { phase: "Bound" as const, capacity: { storage: "1Gi" } };
  await client.patchStatus(persistentVolumeClaims, key, { status }, signal);
}
