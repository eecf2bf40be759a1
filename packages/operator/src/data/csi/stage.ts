import type { PostgresVDB } from "@vdb/api";
import { type Client, isApiError, type KubeObject, type ObjectKey, type Resource } from "kube-runtime";
import { contentIdOf, managedByLabel, operatorName } from "../../vdb/names.ts";
import type { DataSource, SourceVolume, Staged } from "../source.ts";
import { type VolumeSnapshot, type VolumeSnapshotContent, volumeSnapshotContents, volumeSnapshots } from "./volume-snapshots.ts";

/** On what is made for one database's claim alone: that database's uid. */
export const stageLabel = "postgresvdb.core.delphix.com/stage-of";

/** By this it is found again after a crash, in every namespace. */
export const stageName = (vdb: PostgresVDB): string => `vdb-${contentIdOf(vdb)}`;

/** How a running server of ours is asked for a checkpoint. Undefined: it was written, or there is no such server. */
export type Checkpoint = (
  claim: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
) => Promise<string | undefined>;

/**
 * A claim can be copied from a VolumeSnapshot or a claim of its own namespace alone. So a claim is snapshotted where it is, after a
 * checkpoint, unless its driver takes no snapshots; and a VolumeSnapshot of another namespace gets a namesake here, on the same
 * snapshot of the storage.
 */
export const stageBy =
  (checkpoint: Checkpoint): DataSource["stage"] =>
  async (client, vdb, { from }, signal) => {
    if (from === undefined) return { kind: "ready", dataSource: undefined };
    if (from.kind === "VolumeSnapshot") return await hereFrom(client, vdb, from, signal);
    if (from.snapshotClassName === undefined) {
      const failed = await checkpoint(from, signal);
      return failed === undefined
        ? { kind: "ready", dataSource: { kind: from.kind, name: from.name } }
        : { kind: "failed", message: `cannot checkpoint the database on claim ${from.name}: ${failed}` };
    }
    return await taken(client, vdb, { ...from, snapshotClassName: from.snapshotClassName }, checkpoint, signal);
  };

/** The snapshot of a claim, in its namespace. */
async function taken(
  client: Client,
  vdb: PostgresVDB,
  claim: SourceVolume & { readonly snapshotClassName: string },
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<Staged> {
  const { namespace, name: claimName, snapshotClassName: volumeSnapshotClassName } = claim;
  const key = { namespace, name: stageName(vdb) };
  const found = await client.find(volumeSnapshots, key, signal);
  if (found === undefined) {
    const failed = await checkpoint(claim, signal);
    if (failed !== undefined)
      return { kind: "failed", message: `cannot checkpoint the database on claim ${claimName}: ${failed}` };
    const spec = { volumeSnapshotClassName, source: { persistentVolumeClaimName: claimName } };
    await createOnce(client, volumeSnapshots, { metadata: { ...key, labels: labelsFor(vdb) }, spec }, signal);
    return { kind: "underWay", message: `the operator takes a snapshot of the claim ${claimName} of the namespace ${namespace}` };
  }
  const trouble = notOurs(vdb, found, "VolumeSnapshot");
  if (trouble !== undefined) return trouble;
  if (found.metadata.deletionTimestamp !== undefined || found.spec.source.persistentVolumeClaimName !== claimName) {
    await removeOurs(client, vdb, volumeSnapshots, key, signal);
    return { kind: "underWay", message: `an earlier snapshot ${key.name} of the namespace ${namespace} is being deleted` };
  }
  const unready = waitsFor(found);
  return unready ?? (await hereFrom(client, vdb, { namespace, name: key.name }, signal));
}

/** A VolumeSnapshot as a claim of the database's own namespace can name it. */
async function hereFrom(
  client: Client,
  vdb: PostgresVDB,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Staged> {
  const original = await client.find(volumeSnapshots, { namespace, name }, signal);
  const dataTimestamp = original?.status?.creationTime;
  if (namespace === vdb.metadata.namespace) return readyAs(name, dataTimestamp);
  const bound = original?.status?.boundVolumeSnapshotContentName ?? "";
  const content = bound === "" ? undefined : await client.find(volumeSnapshotContents, { name: bound }, signal);
  const snapshotHandle = content?.status?.snapshotHandle;
  if (content === undefined || snapshotHandle === undefined)
    return { kind: "failed", message: `VolumeSnapshot ${name} of the namespace ${namespace} is not bound` };
  const key = { namespace: vdb.metadata.namespace, name: stageName(vdb) };
  const here = await client.find(volumeSnapshots, key, signal);
  if (here === undefined) {
    await bring(client, vdb, content, snapshotHandle, signal);
    return { kind: "underWay", message: `the operator makes VolumeSnapshot ${name} of the namespace ${namespace} known here` };
  }
  return notOurs(vdb, here, "VolumeSnapshot") ?? waitsFor(here) ?? readyAs(key.name, dataTimestamp);
}

const readyAs = (name: string, dataTimestamp: string | undefined): Staged => ({
  kind: "ready",
  dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name },
  ...(dataTimestamp === undefined ? {} : { dataTimestamp }),
});

/** The same snapshot of the storage under another name. It is the original's: with Retain nothing of it goes with this one. */
async function bring(
  client: Client,
  vdb: PostgresVDB,
  { spec: { driver, volumeSnapshotClassName, sourceVolumeMode } }: VolumeSnapshotContent,
  snapshotHandle: string,
  signal: AbortSignal,
): Promise<void> {
  const [name, labels, { namespace }] = [stageName(vdb), labelsFor(vdb), vdb.metadata];
  const spec = {
    deletionPolicy: "Retain" as const,
    driver,
    source: { snapshotHandle },
    volumeSnapshotRef: { namespace, name },
    ...(volumeSnapshotClassName === undefined ? {} : { volumeSnapshotClassName }),
    ...(sourceVolumeMode === undefined ? {} : { sourceVolumeMode }),
  };
  await createOnce(client, volumeSnapshotContents, { metadata: { name, labels }, spec }, signal);
  const source = { volumeSnapshotContentName: name };
  await createOnce(client, volumeSnapshots, { metadata: { namespace, name, labels }, spec: { source } }, signal);
}

/** Deletes it all by its names and label. What is not there, or another's, is left alone. */
export const unstage: DataSource["unstage"] = async (client, vdb, signal) => {
  const { type, namespace: there } = vdb.status.source ?? {};
  const here = vdb.metadata.namespace;
  const isElsewhere = there !== undefined && there !== here;
  if (there === undefined || (type === "k8s-snapshot" && !isElsewhere)) return; // nothing was made
  const name = stageName(vdb);
  if (isElsewhere) {
    await removeOurs(client, vdb, volumeSnapshots, { namespace: here, name }, signal);
    await removeOurs(client, vdb, volumeSnapshotContents, { name }, signal);
  }
  if (type === "k8s-snapshot") return;
  await letGo(client, vdb, { namespace: there, name }, signal);
  await removeOurs(client, vdb, volumeSnapshots, { namespace: there, name }, signal);
};

/** A class may retain the storage's snapshots: this one goes with its VolumeSnapshot. */
async function letGo(client: Client, vdb: PostgresVDB, key: ObjectKey, signal: AbortSignal): Promise<void> {
  const found = await client.find(volumeSnapshots, key, signal);
  const name = found?.status?.boundVolumeSnapshotContentName;
  if (found === undefined || !isOurs(vdb, found) || name === undefined) return;
  const content = await client.find(volumeSnapshotContents, { name }, signal);
  if (content?.spec.deletionPolicy === "Retain")
    await client.patch(volumeSnapshotContents, { name }, { spec: { deletionPolicy: "Delete" } }, signal);
}

async function removeOurs<T extends KubeObject>(
  client: Client,
  vdb: PostgresVDB,
  resource: Resource<T>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<void> {
  const found = await client.find(resource, key, signal);
  if (found === undefined || !isOurs(vdb, found) || found.metadata.deletionTimestamp !== undefined) return;
  try {
    await client.delete(resource, key, signal, { preconditions: { uid: found.metadata.uid } });
  } catch (error) {
    if (!isApiError(error, "notFound", "conflict")) throw error;
  }
}

/** One that is there already is looked at by the next run. */
async function createOnce<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: Parameters<typeof client.create<T>>[1],
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(resource, object, signal);
  } catch (error) {
    if (!isApiError(error, "alreadyExists")) throw error;
  }
}

const labelsFor = (vdb: PostgresVDB) => ({ [managedByLabel]: operatorName, [stageLabel]: vdb.metadata.uid });
const isOurs = (vdb: PostgresVDB, { metadata }: KubeObject): boolean => metadata.labels?.[stageLabel] === vdb.metadata.uid;

function notOurs(vdb: PostgresVDB, found: KubeObject, kind: string): Staged | undefined {
  if (isOurs(vdb, found)) return undefined;
  const { namespace = "", name } = found.metadata;
  return {
    kind: "failed",
    message: `a ${kind} ${name} exists in the namespace ${namespace} and was not made for this PostgresVDB: delete it`,
  };
}

function waitsFor({ metadata: { namespace = "", name }, status }: VolumeSnapshot): Staged | undefined {
  if (status?.readyToUse === true) return undefined;
  const what = `VolumeSnapshot ${name} of the namespace ${namespace} is not ready yet`;
  return status?.error?.message === undefined
    ? { kind: "underWay", message: what }
    : { kind: "failed", message: `${what}: ${status.error.message}` };
}
