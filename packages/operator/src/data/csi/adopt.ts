import { type PostgresVDB, sourceReference } from "@vdb/api";
import { DctNotConfigured } from "@vdb/dct";
import { type Client, isControlledBy, type Pod, persistentVolumeClaims, persistentVolumes, pods } from "kube-runtime";
import { usesClaim } from "../../vdb/decide/blockers.ts";
import { instanceLabel, managedByLabel, operatorName } from "../../vdb/names.ts";
import { ownDriver } from "../own-driver.ts";
import { SourceRefusal } from "../refusal.ts";
import type { Attachment, DataSource, ResolvedSource } from "../source.ts";
import type { CsiWorld, Name } from "./csi-world.ts";
import { contentsOf, databaseOn } from "./database-on.ts";
import { identityOf } from "./identity.ts";
import { usableClaim } from "./resolve-claim.ts";

/** Finds the claim that a pvc-adopt names. Throws a SourceRefusal where somebody else has it: two servers would destroy the data. */
export async function resolveAdopted(
  { vdbs }: CsiWorld,
  client: Client,
  vdb: PostgresVDB,
  key: Name,
  signal: AbortSignal,
): Promise<ResolvedSource> {
  const { claim } = await usableClaim(client, key, signal);
  const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner !== undefined)
    throw new SourceRefusal(
      "SourceNotUsable",
      `the claim ${key.name} belongs to ${owner.kind} ${owner.name}: make a pvc-clone of it instead`,
    );
  const other = adopterBefore(vdbs(), vdb, key);
  if (other !== undefined)
    throw new SourceRefusal(
      "ClaimInUse",
      `PostgresVDB ${other.metadata.name} has the claim ${key.name}: delete it, or make a pvc-clone`,
    );
  const user = await userOf(client, vdb, key, signal);
  if (user !== undefined) throw new SourceRefusal("ClaimInUse", inUse(user, key.name));
  return {
    identity: identityOf(vdb, key.name, claim),
    sizeBytes: undefined,
    postgresVersion: undefined,
    dataTimestamp: undefined,
    id: undefined,
    snapshotId: undefined,
    snapshotName: undefined,
    adopts: key.name,
    volume: {
      kind: "PersistentVolumeClaim",
      ...key,
      storageClassName: claim.spec.storageClassName ?? "",
      crashConsistent: false,
    },
  };
}

/** Pure: of several that name a claim the one that has it, else the oldest, so that two never take it at once. */
export function adopterBefore(
  vdbs: readonly PostgresVDB[],
  vdb: PostgresVDB,
  { namespace, name }: Name,
): PostgresVDB | undefined {
  return vdbs.find((other) => {
    if (other.metadata.uid === vdb.metadata.uid || other.metadata.namespace !== namespace) return false;
    if (other.status.pvcName === name || contentsOf(other.status).some(({ claimName }) => claimName === name)) return true;
    const named = sourceReference(other.spec.source, namespace);
    return named.type === "pvc-adopt" && named.name === name && isOlder(other, vdb);
  });
}

const isOlder = ({ metadata: a }: PostgresVDB, { metadata: b }: PostgresVDB): boolean =>
  a.creationTimestamp === b.creationTimestamp ? a.name < b.name : a.creationTimestamp < b.creationTimestamp;

/** A pod that uses the claim and is not this database's own. Pods of others are not watched. */
async function userOf(
  client: Client,
  vdb: PostgresVDB,
  { namespace, name }: Name,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { items } = await client.list(pods, { namespace }, signal);
  return items.find((pod) => usesClaim(pod, name) && !isOwn(pod, vdb))?.metadata.name;
}

const isOwn = ({ metadata: { labels } }: Pod, vdb: PostgresVDB): boolean =>
  labels?.[managedByLabel] === operatorName && labels[instanceLabel] === vdb.metadata.name;

const inUse = (pod: string, claim: string): string =>
  `pod ${pod} uses the claim ${claim}, and two servers on the same data would destroy it: stop what runs the pod`;

/** The claim of a database that has its data, as long as that is its user's: a refresh or rewind gives it one of its own. */
export const adopted: NonNullable<DataSource["adopted"]> = async (client, vdb, signal) => {
  const key = { namespace: vdb.metadata.namespace, name: vdb.status.content?.claimName ?? "" };
  const claim = await client.find(persistentVolumeClaims, key, signal);
  return claim === undefined || isControlledBy(claim, vdb) ? undefined : claim;
};

/** Before a pod starts nobody else may have begun to use the claim. A volume of our driver is enabled and disabled in DCT, where there is one. */
export const attachAdopted =
  ({ dct, vdbs }: CsiWorld): DataSource["setAttached"] =>
  async (client, volume, wanted, signal): Promise<Attachment> => {
    const found = await client.find(persistentVolumes, { name: volume.name }, signal);
    const { namespace = "", name = "" } = found?.spec.claimRef ?? {};
    const vdb = databaseOn(vdbs(), namespace, name);
    const user = wanted && vdb !== undefined ? await userOf(client, vdb, { namespace, name }, signal) : undefined;
    if (user !== undefined) return { kind: "refused", reason: "ClaimInUse", message: inUse(user, name) };
    if (found?.spec.csi?.driver !== ownDriver) return { kind: "asWanted" };
    try {
      return await dct.setAttached(client, volume, wanted, signal);
    } catch (error) {
      if (error instanceof DctNotConfigured) return { kind: "asWanted" };
      throw error;
    }
  };
