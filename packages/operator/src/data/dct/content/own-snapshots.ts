import type { Client } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import { snapshotsByActions, volumeSnapshotContents, volumeSnapshots } from "../../csi/volume-snapshots.ts";
import { ownDriver } from "../../own-driver.ts";

/** The DCT snapshot behind a VolumeSnapshot. */
export async function handleOf(client: Client, namespace: string, name: string, signal: AbortSignal): Promise<string> {
  const snapshot = await client.find(volumeSnapshots, { namespace, name }, signal);
  if (snapshot === undefined)
    throw new ActionFailed("SnapshotNotFound", `there is no VolumeSnapshot ${name} in the namespace ${namespace}`);
  const { boundVolumeSnapshotContentName: bound, readyToUse } = snapshot.status ?? {};
  const content = bound === undefined ? undefined : await client.find(volumeSnapshotContents, { name: bound }, signal);
  const handle = content?.status?.snapshotHandle;
  if (handle === undefined || readyToUse !== true)
    throw new ActionFailed("SnapshotNotUsable", `VolumeSnapshot ${name} is not ready to use`);
  if (content?.spec.driver === ownDriver) return handle;
  throw new ActionFailed(
    "SnapshotNotUsable",
    `VolumeSnapshot ${name} is of the driver ${content?.spec.driver}; this database takes those of ${ownDriver}`,
  );
}

/** The DCT snapshots that VDBSnapshots and PostgresSnapshots have taken in a namespace: they take none with a shut gate. */
export async function ownHandles(client: Client, namespace: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const taken = await snapshotsByActions(client, namespace, signal);
  const contents = await Promise.all(
    taken.map(async ({ status }) => {
      const name = status?.boundVolumeSnapshotContentName;
      return name === undefined ? undefined : await client.find(volumeSnapshotContents, { name }, signal);
    }),
  );
  return new Set(contents.flatMap((content) => content?.status?.snapshotHandle ?? []));
}
