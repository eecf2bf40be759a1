import type { PostgresVDB } from "@vdb/api";
import { type Client, type PersistentVolumeClaim, persistentVolumeClaims, persistentVolumes } from "kube-runtime";
import { valueOf } from "../../vdb/objects/quantity.ts";
import { mustBeGranted } from "../granted.ts";
import { choices, SourceRefusal } from "../refusal.ts";
import type { ResolvedSource } from "../source.ts";
import type { CsiWorld, Name } from "./csi-world.ts";
import { databaseOn, heldBy, mustBeOpen } from "./database-on.ts";
import { identityOf } from "./identity.ts";
import { classFor } from "./storage-class.ts";
import { snapshotClassFor } from "./volume-snapshots.ts";

/** Finds the claim that a pvc-clone names. Throws a SourceRefusal where it is not there, holds no data, or cannot be copied. */
export async function resolveClaim(
  world: CsiWorld,
  client: Client,
  vdb: PostgresVDB,
  { namespace, name }: Name,
  signal: AbortSignal,
): Promise<ResolvedSource> {
  const kind = "PersistentVolumeClaim";
  await mustBeGranted(client, vdb, { kind, namespace, name }, world.config, signal);
  const { claim, volumeName } = await usableClaim(client, { namespace, name }, signal);
  const driver = (await client.find(persistentVolumes, { name: volumeName }, signal))?.spec.csi?.driver;
  if (driver === undefined)
    throw new SourceRefusal(
      "SourceNotUsable",
      `the volume ${volumeName} of claim ${name} is of no CSI driver, so nothing can copy it`,
    );
  const database = databaseOn(world.vdbs(), namespace, name);
  mustBeOpen(heldBy(world.vdbs(), { namespace, name }, claim), `claim ${name}`, { takenAt: undefined, byAction: false });
  const snapshotClassName = await snapshotClassFor(client, driver, signal);
  if (snapshotClassName === undefined && namespace !== vdb.metadata.namespace)
    throw new SourceRefusal(
      "SourceNotUsable",
      `the driver ${driver} of claim ${name} has no VolumeSnapshotClass, and without snapshots a claim can be copied in its own namespace (${namespace}) alone`,
    );
  const asked = vdb.spec.storageClassName;
  const storageClassName = await classFor(client, { asked, ofSource: claim.spec.storageClassName, driver }, signal);
  return {
    identity: identityOf(vdb, name, claim),
    sizeBytes: valueOf(claim.status?.capacity?.["storage"]),
    postgresVersion: database?.status.source?.postgresVersion,
    dataTimestamp: undefined, // that of the snapshot, which is still to be taken
    id: undefined,
    snapshotId: undefined,
    snapshotName: undefined,
    volume: {
      kind,
      namespace,
      name,
      storageClassName,
      crashConsistent: database === undefined || world.serverOf(database) === "silent",
      ...(snapshotClassName === undefined ? {} : { snapshotClassName }),
    },
  };
}

/** A claim with a volume that files lie on. */
export async function usableClaim(
  client: Client,
  key: Name,
  signal: AbortSignal,
): Promise<{ readonly claim: PersistentVolumeClaim; readonly volumeName: string }> {
  const claim = await client.find(persistentVolumeClaims, key, signal);
  const what = `claim ${key.name} of the namespace ${key.namespace}`;
  if (claim === undefined) {
    const { items } = await client.list(persistentVolumeClaims, { namespace: key.namespace }, signal);
    const names = items.map(({ metadata }) => metadata.name);
    throw new SourceRefusal(
      "SourceNotFound",
      `there is no claim ${key.name} in the namespace ${key.namespace}; ${choices("claims", names)}`,
    );
  }
  if (claim.metadata.deletionTimestamp !== undefined)
    throw new SourceRefusal("SourceNotReady", `the ${what} is being deleted: name another one`);
  const { volumeName, volumeMode } = claim.spec;
  if (volumeMode === "Block")
    throw new SourceRefusal("SourceNotUsable", `the ${what} is of volumeMode Block, and a database lies in a file system`);
  if (claim.status?.phase === "Lost")
    throw new SourceRefusal("SourceNotUsable", `the ${what} has lost its volume ${volumeName ?? ""}`);
  if (claim.status?.phase !== "Bound" || volumeName === undefined)
    throw new SourceRefusal("SourceNotReady", `the ${what} is not bound, so it holds no data yet`, { passes: true });
  return { claim, volumeName };
}
