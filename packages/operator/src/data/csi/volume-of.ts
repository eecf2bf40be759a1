import { type Client, type PersistentVolume, type PersistentVolumeClaim, persistentVolumes } from "kube-runtime";

/** The volume that a claim is bound to; undefined: there is no such claim, it has none yet, or it is gone. */
export async function volumeOf(
  client: Pick<Client, "find">,
  claim: PersistentVolumeClaim | undefined,
  signal: AbortSignal,
): Promise<PersistentVolume | undefined> {
  const name = claim?.spec.volumeName;
  return name === undefined ? undefined : await client.find(persistentVolumes, { name }, signal);
}
