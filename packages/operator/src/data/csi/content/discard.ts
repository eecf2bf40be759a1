import { safeLabelValue } from "@vdb/api";
import { type Client, isApiError, isControlledBy, type PersistentVolumeClaim, persistentVolumeClaims, pods } from "kube-runtime";
import { claimKeptBy } from "../../../vdb/decide/blockers.ts";
import { contentIdOfAction, instanceLabel, ownObjects } from "../../../vdb/names.ts";
import type { Bytes, Place, Work } from "../../content-store.ts";
import type { Discard } from "../../source.ts";
import type { CsiWorld } from "../csi-world.ts";
import { contentsOf } from "../database-on.ts";
import { unstageOf } from "../stage.ts";
import { volumeOf } from "../volume-of.ts";

type Clock = Pick<CsiWorld, "now">;

/** A claim that takes longer to go is kept by something. */
const patienceSeconds = 60;

/**
 * Deletes the claim of a content. One of the database's user goes only where spec.deletionPolicy lets the operator delete it, and is
 * otherwise left to them.
 */
export async function discardClaim(
  world: Clock,
  { client, vdb }: Place,
  { claimName: name, handle }: Bytes,
  signal: AbortSignal,
): Promise<Discard> {
  if (name === undefined) return { kind: "kept", message: "the status does not say which claim has it" };
  const claim = await client.find(persistentVolumeClaims, { namespace: vdb.metadata.namespace, name }, signal);
  if (claim === undefined) return { kind: "gone" };
  if (!isControlledBy(claim, vdb) && (vdb.spec.deletionPolicy === "Retain" || (await handleOf(client, claim, signal)) !== handle))
    return { kind: "gone" };
  return await remove(world, client, claim, signal);
}

async function handleOf(client: Client, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<string | undefined> {
  const volume = await volumeOf(client, claim, signal);
  return volume?.spec.csi?.volumeHandle ?? volume?.metadata.name;
}

/** The claims of a database that none of its contents names, and what they were to be copied from. */
export async function discardStrays(world: Clock, { client, vdb, action }: Work, signal: AbortSignal): Promise<Discard> {
  await unstageOf(client, { vdb, contentId: contentIdOfAction(action.uid) }, signal);
  const named = contentsOf(vdb.status).map(({ claimName }) => claimName);
  if (vdb.status.content?.claimName === undefined) return { kind: "gone" }; // there is no data yet: what there is will be it
  const strays = (await ownClaims({ client, vdb }, signal)).filter(({ metadata }) => !named.includes(metadata.name));
  const left: Discard[] = [];
  for (const claim of strays) left.push(await remove(world, client, claim, signal));
  return left.find(({ kind }) => kind === "underWay") ?? left.find(({ kind }) => kind === "kept") ?? { kind: "gone" };
}

/** The claims that the operator has made for a database. */
export async function ownClaims({ client, vdb }: Place, signal: AbortSignal): Promise<readonly PersistentVolumeClaim[]> {
  const { namespace, name } = vdb.metadata;
  const labelSelector = `${ownObjects},${instanceLabel}=${safeLabelValue(name)}`;
  const { items } = await client.list(persistentVolumeClaims, { namespace, labelSelector }, signal);
  return items.filter((claim) => isControlledBy(claim, vdb));
}

async function remove({ now }: Clock, client: Client, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<Discard> {
  const { name, namespace = "", uid, deletionTimestamp } = claim.metadata;
  if (deletionTimestamp === undefined) {
    await client
      .delete(persistentVolumeClaims, { namespace, name }, signal, { preconditions: { uid } })
      .catch((error: unknown) => {
        if (!isApiError(error, "notFound", "conflict")) throw error;
      });
    return { kind: "underWay" };
  }
  if (now() - Date.parse(deletionTimestamp) < patienceSeconds * 1000) return { kind: "underWay" };
  const { items } = await client.list(pods, { namespace }, signal);
  return { kind: "kept", message: `the claim ${name} is being deleted${claimKeptBy(claim, items)}` };
}
