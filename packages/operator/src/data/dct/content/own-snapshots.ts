import type { Client } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import { actionLabel, snapshotsIn, volumeSnapshotContents, volumeSnapshots } from "../../csi/volume-snapshots.ts";
import { ownDriver } from "../../own-driver.ts";
import { choices } from "../../refusal.ts";

/** The DCT snapshot behind a VolumeSnapshot. `claim`: the database's, whose VolumeSnapshots a refusal lists. */
export async function handleOf(
  client: Client,
  { namespace, name, claim }: { readonly namespace: string; readonly name: string; readonly claim: string },
  signal: AbortSignal,
): Promise<string> {
  const refused = async (reason: "SnapshotNotFound" | "SnapshotNotUsable", what: string): Promise<ActionFailed> =>
    new ActionFailed(reason, `${what}; ${await choicesOf(client, { namespace, claim }, signal)}`);
  const snapshot = await client.find(volumeSnapshots, { namespace, name }, signal);
  if (snapshot === undefined)
    throw await refused("SnapshotNotFound", `there is no VolumeSnapshot ${name} in the namespace ${namespace}`);
  const { boundVolumeSnapshotContentName: bound, readyToUse } = snapshot.status ?? {};
  const content = bound === undefined ? undefined : await client.find(volumeSnapshotContents, { name: bound }, signal);
  const handle = content?.status?.snapshotHandle;
  if (handle === undefined || readyToUse !== true)
    throw await refused("SnapshotNotUsable", `VolumeSnapshot ${name} is not ready to use`);
  if (content?.spec.driver === ownDriver) return handle;
  throw await refused(
    "SnapshotNotUsable",
    `VolumeSnapshot ${name} is of the driver ${content?.spec.driver}; this database takes those of ${ownDriver}`,
  );
}

async function choicesOf(
  client: Client,
  { namespace, claim }: { readonly namespace: string; readonly claim: string },
  signal: AbortSignal,
): Promise<string> {
  const names = (await snapshotsIn(client, { namespace }, signal))
    .filter(({ spec, status }) => spec.source.persistentVolumeClaimName === claim && status?.readyToUse === true)
    .map(({ metadata }) => metadata.name);
  return choices("VolumeSnapshots of this database", names);
}

/** The DCT snapshots that VDBSnapshots and PostgresSnapshots have taken in a namespace: they take none with a shut gate. */
export async function ownHandles(client: Client, namespace: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const taken = await snapshotsIn(client, { namespace, labelSelector: actionLabel }, signal);
  const contents = await Promise.all(
    taken.map(async ({ status }) => {
      const name = status?.boundVolumeSnapshotContentName;
      return name === undefined ? undefined : await client.find(volumeSnapshotContents, { name }, signal);
    }),
  );
  return new Set(contents.flatMap((content) => content?.status?.snapshotHandle ?? []));
}
