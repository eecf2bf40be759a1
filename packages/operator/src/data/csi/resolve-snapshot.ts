import type { PostgresVDB } from "@vdb/api";
import { type Client, isApiError, persistentVolumeClaims } from "kube-runtime";
import { valueOf } from "../../vdb/objects/quantity.ts";
import { mustBeGranted } from "../granted.ts";
import { choices, SourceRefusal } from "../refusal.ts";
import type { ResolvedSource } from "../source.ts";
import type { CsiWorld, Name } from "./csi-world.ts";
import { heldBy, mustBeOpen } from "./database-on.ts";
import { identityOf } from "./identity.ts";
import { classFor } from "./storage-class.ts";
import { actionLabel, type VolumeSnapshot, volumeSnapshotContents, volumeSnapshots } from "./volume-snapshots.ts";

/** Finds the VolumeSnapshot that a k8s-snapshot names. Throws a SourceRefusal where it is not there, not ready, or not to be used. */
export async function resolveSnapshot(
  world: CsiWorld,
  client: Client,
  vdb: PostgresVDB,
  { namespace, name }: Name,
  signal: AbortSignal,
): Promise<ResolvedSource> {
  await mustBeGranted(client, vdb, { kind: "VolumeSnapshot", namespace, name }, world.config, signal);
  const snapshot = await client.find(volumeSnapshots, { namespace, name }, signal);
  if (snapshot === undefined) throw await notFound(client, namespace, name, signal);
  const driver = await driverOf(client, snapshot, signal);
  const { metadata, spec, status } = snapshot;
  const claimName = spec.source.persistentVolumeClaimName ?? "";
  const claim = claimName === "" ? undefined : await client.find(persistentVolumeClaims, { namespace, name: claimName }, signal);
  const held = heldBy(world.vdbs(), { namespace, name: claimName }, claim);
  const byAction = metadata.labels?.[actionLabel] !== undefined;
  // A database's own data, as it was at any time, is no way around its hooks: they run on it again.
  const isOwn = held?.vdb.metadata.uid === vdb.metadata.uid;
  if (!isOwn) mustBeOpen(held, `VolumeSnapshot ${name}`, { takenAt: status?.creationTime, byAction });
  const ofSource = claim?.spec.storageClassName ?? (await presentClass(client, vdb, signal));
  const storageClassName = await classFor(client, { asked: vdb.spec.storageClassName, ofSource, driver }, signal);
  return {
    identity: identityOf(vdb, name, claim),
    sizeBytes: valueOf(status?.restoreSize) ?? valueOf(claim?.status?.capacity?.["storage"]),
    postgresVersion: held?.vdb.status.source?.postgresVersion,
    dataTimestamp: status?.creationTime,
    id: undefined,
    snapshotId: undefined,
    snapshotName: name,
    volume: { kind: "VolumeSnapshot", namespace, name, storageClassName, crashConsistent: false },
  };
}

/** The class of the data that a database has: for a snapshot whose claim is gone. */
async function presentClass(
  client: Client,
  { metadata: { namespace }, status }: PostgresVDB,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = status.content?.claimName;
  const claim = name === undefined ? undefined : await client.find(persistentVolumeClaims, { namespace, name }, signal);
  return claim?.spec.storageClassName;
}

async function notFound(client: Client, namespace: string, name: string, signal: AbortSignal): Promise<SourceRefusal> {
  try {
    const { items } = await client.list(volumeSnapshots, { namespace }, signal);
    const names = items.map(({ metadata }) => metadata.name);
    return new SourceRefusal(
      "SourceNotFound",
      `there is no VolumeSnapshot ${name} in the namespace ${namespace}; ${choices("VolumeSnapshots", names)}`,
    );
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
    return new SourceRefusal(
      "SourceNotFound",
      "the cluster knows no VolumeSnapshots: install the CRDs of snapshot.storage.k8s.io and a snapshot-controller",
    );
  }
}

/** The driver of a snapshot that can be used. */
async function driverOf(client: Client, { metadata, status }: VolumeSnapshot, signal: AbortSignal): Promise<string> {
  const { namespace = "", name, deletionTimestamp } = metadata;
  const what = `VolumeSnapshot ${name} of the namespace ${namespace}`;
  if (deletionTimestamp !== undefined) throw new SourceRefusal("SourceNotReady", `${what} is being deleted: name another one`);
  const { boundVolumeSnapshotContentName: bound, readyToUse, error } = status ?? {};
  if (readyToUse !== true || bound === undefined)
    throw new SourceRefusal(
      "SourceNotReady",
      `${what} is not ready to use yet${error?.message === undefined ? "" : `: ${error.message}`}`,
      {
        passes: true,
      },
    );
  const content = await client.find(volumeSnapshotContents, { name: bound }, signal);
  if (content === undefined)
    throw new SourceRefusal("SourceNotReady", `${what} has lost its VolumeSnapshotContent ${bound}: name another one`);
  return content.spec.driver;
}
