import type { PostgresVDB } from "@vdb/api";
import { type Client, isApiError, type KubeObject, type ObjectKey, type Resource } from "kube-runtime";
import { contentIdOf, contentIdOfAction, managedByLabel, operatorName } from "../../vdb/names.ts";
import type { DataSource, SourceVolume, Staged } from "../source.ts";
import { type VolumeSnapshot, type VolumeSnapshotContent, volumeSnapshotContents, volumeSnapshots } from "./volume-snapshots.ts";

/** On what is made for one database's claim alone: that database's uid. */
export const stageLabel = "postgresvdb.core.delphix.com/stage-of";

/** Whose data is to come: one database, and the data's id. */
export interface Coming {
  readonly vdb: PostgresVDB;
  readonly contentId: string;
}

/** By this it is found again after a crash, in every namespace. */
const stageName = ({ contentId }: Coming): string => `vdb-${contentId}`;

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
export async function stageFrom(
  client: Client,
  coming: Coming,
  from: SourceVolume,
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<Staged> {
  if (from.kind === "VolumeSnapshot") return await hereFrom(client, coming, from, signal);
  if (from.snapshotClassName === undefined) {
    const failed = await checkpoint(from, signal);
    return failed === undefined
      ? { kind: "ready", dataSource: { kind: from.kind, name: from.name } }
      : { kind: "failed", message: `cannot checkpoint the database on claim ${from.name}: ${failed}` };
  }
  return await taken(client, coming, { ...from, snapshotClassName: from.snapshotClassName }, checkpoint, signal);
}

/** The same for the first data of a database. */
export const stageBy =
  (checkpoint: Checkpoint): DataSource["stage"] =>
  async (client, vdb, { from }, signal) =>
    from === undefined
      ? { kind: "ready", dataSource: undefined }
      : await stageFrom(client, { vdb, contentId: contentIdOf(vdb) }, from, checkpoint, signal);

/** Whether something was made for data that is to come from a claim. */
export async function isStaged(
  client: Client,
  coming: Coming,
  { namespace }: SourceVolume,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await client.find(volumeSnapshots, { namespace, name: stageName(coming) }, signal);
  return found !== undefined && isOurs(coming, found);
}

/** The snapshot of a claim, in its namespace. */
async function taken(
  client: Client,
  coming: Coming,
  claim: SourceVolume & { readonly snapshotClassName: string },
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<Staged> {
  const { namespace, name: claimName, snapshotClassName: volumeSnapshotClassName } = claim;
  const key = { namespace, name: stageName(coming) };
  const found = await client.find(volumeSnapshots, key, signal);
  if (found === undefined) {
    const failed = await checkpoint(claim, signal);
    if (failed !== undefined)
      return { kind: "failed", message: `cannot checkpoint the database on claim ${claimName}: ${failed}` };
    const spec = { volumeSnapshotClassName, source: { persistentVolumeClaimName: claimName } };
    await createOnce(client, volumeSnapshots, { metadata: { ...key, labels: labelsFor(coming) }, spec }, signal);
    return { kind: "underWay", message: `the operator takes a snapshot of the claim ${claimName} of the namespace ${namespace}` };
  }
  const trouble = notOurs(coming, found, "VolumeSnapshot");
  if (trouble !== undefined) return trouble;
  if (found.metadata.deletionTimestamp !== undefined || found.spec.source.persistentVolumeClaimName !== claimName) {
    await removeOurs(client, coming, volumeSnapshots, key, signal);
    return { kind: "underWay", message: `an earlier snapshot ${key.name} of the namespace ${namespace} is being deleted` };
  }
  const unready = waitsFor(found);
  return unready ?? (await hereFrom(client, coming, { namespace, name: key.name }, signal));
}

/** A VolumeSnapshot as a claim of the database's own namespace can name it. */
async function hereFrom(
  client: Client,
  coming: Coming,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Staged> {
  const original = await client.find(volumeSnapshots, { namespace, name }, signal);
  const dataTimestamp = original?.status?.creationTime;
  if (namespace === coming.vdb.metadata.namespace) return readyAs(name, dataTimestamp);
  const bound = original?.status?.boundVolumeSnapshotContentName ?? "";
  const content = bound === "" ? undefined : await client.find(volumeSnapshotContents, { name: bound }, signal);
  const snapshotHandle = content?.status?.snapshotHandle;
  if (content === undefined || snapshotHandle === undefined)
    return { kind: "failed", message: `VolumeSnapshot ${name} of the namespace ${namespace} is not bound` };
  const key = { namespace: coming.vdb.metadata.namespace, name: stageName(coming) };
  const here = await client.find(volumeSnapshots, key, signal);
  if (here === undefined) {
    await bring(client, coming, content, snapshotHandle, signal);
    return { kind: "underWay", message: `the operator makes VolumeSnapshot ${name} of the namespace ${namespace} known here` };
  }
  return notOurs(coming, here, "VolumeSnapshot") ?? waitsFor(here) ?? readyAs(key.name, dataTimestamp);
}

const readyAs = (name: string, dataTimestamp: string | undefined): Staged => ({
  kind: "ready",
  dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name },
  ...(dataTimestamp === undefined ? {} : { dataTimestamp }),
});

/** The same snapshot of the storage under another name. It is the original's: with Retain nothing of it goes with this one. */
async function bring(
  client: Client,
  coming: Coming,
  { spec: { driver, volumeSnapshotClassName, sourceVolumeMode } }: VolumeSnapshotContent,
  snapshotHandle: string,
  signal: AbortSignal,
): Promise<void> {
  const [name, labels, { namespace }] = [stageName(coming), labelsFor(coming), coming.vdb.metadata];
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

/**
 * Deletes it all by its names and label: what was made for the present data, and for that of an action at work. What is not there, or
 * another's, is left alone.
 */
export const unstage: DataSource["unstage"] = async (client, vdb, signal) => {
  const { activeAction } = vdb.status;
  await unstageOf(client, { vdb, contentId: contentIdOf(vdb) }, signal);
  if (activeAction !== undefined) await unstageOf(client, { vdb, contentId: contentIdOfAction(activeAction.uid) }, signal);
};

/** `status.source` says where it is. */
export async function unstageOf(client: Client, coming: Coming, signal: AbortSignal): Promise<void> {
  const { status, metadata } = coming.vdb;
  const { type, namespace: there } = status.source ?? {};
  const here = metadata.namespace;
  const isElsewhere = there !== undefined && there !== here;
  if (there === undefined || (type === "k8s-snapshot" && !isElsewhere)) return; // nothing was made
  const name = stageName(coming);
  if (isElsewhere) {
    await removeOurs(client, coming, volumeSnapshots, { namespace: here, name }, signal);
    await removeOurs(client, coming, volumeSnapshotContents, { name }, signal);
  }
  if (type === "k8s-snapshot") return;
  await letGo(client, coming, { namespace: there, name }, signal);
  await removeOurs(client, coming, volumeSnapshots, { namespace: there, name }, signal);
}

/** A class may retain the storage's snapshots: this one goes with its VolumeSnapshot. */
async function letGo(client: Client, coming: Coming, key: ObjectKey, signal: AbortSignal): Promise<void> {
  const found = await client.find(volumeSnapshots, key, signal);
  const name = found?.status?.boundVolumeSnapshotContentName;
  if (found === undefined || !isOurs(coming, found) || name === undefined) return;
  const content = await client.find(volumeSnapshotContents, { name }, signal);
  if (content?.spec.deletionPolicy === "Retain")
    await client.patch(volumeSnapshotContents, { name }, { spec: { deletionPolicy: "Delete" } }, signal);
}

async function removeOurs<T extends KubeObject>(
  client: Client,
  coming: Coming,
  resource: Resource<T>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<void> {
  const found = await client.find(resource, key, signal);
  if (found === undefined || !isOurs(coming, found) || found.metadata.deletionTimestamp !== undefined) return;
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

const labelsFor = ({ vdb }: Coming) => ({ [managedByLabel]: operatorName, [stageLabel]: vdb.metadata.uid });
const isOurs = ({ vdb }: Coming, { metadata }: KubeObject): boolean => metadata.labels?.[stageLabel] === vdb.metadata.uid;

function notOurs(coming: Coming, found: KubeObject, kind: string): Staged | undefined {
  if (isOurs(coming, found)) return undefined;
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
