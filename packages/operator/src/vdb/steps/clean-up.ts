import { type PostgresVDB, volumeNameOf } from "@vdb/api";
import {
  after,
  configMaps,
  deployments,
  done,
  events,
  isApiError,
  isControlledBy,
  namespaces,
  type Outcome,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Step,
  services,
  waiting,
} from "kube-runtime";
import { livePods, type VdbContext } from "../context.ts";
import { claimKeptBy, isLeftToDriver, keptBy } from "../decide/blockers.ts";
import { claimTrouble } from "../decide/claim-events.ts";
import { claimName, configMapName, keyOfVdb } from "../names.ts";
import { isLate, patienceSeconds } from "./is-late.ts";
import { releaseOthers } from "./release-others.ts";
import { removeIfThere, removeOwn } from "./remove.ts";

/** What the runtime says on Ready while an object is being deleted is the only reason there is. */
export interface CleanUpStep extends Step<VdbContext> {
  readonly run: (ctx: VdbContext, signal: AbortSignal) => Promise<Outcome<"Deleting">>;
}

/** The order in which a database goes: nothing is taken from under what still runs. */
export const cleanUpSteps: readonly CleanUpStep[] = [
  { name: "heedProtection", run: heedProtection },
  { name: "endPod", run: endPod },
  { name: "endStage", run: endStage },
  releaseOthers,
  { name: "releaseVolume", run: releaseVolume },
  { name: "confirmGone", run: confirmGone },
];

/** Where the cluster has not refused the deletion, the database runs on with its data until its owner says that it may go. */
async function heedProtection({ vdb: { spec, metadata } }: VdbContext): Promise<Outcome<"Deleting">> {
  if (!spec.protected) return done();
  const patch = `kubectl patch postgresvdb ${metadata.name} -n ${metadata.namespace} --type=merge -p '{"spec":{"protected":false}}'`;
  return waiting("Deleting", `nothing is deleted, because spec.protected is true; to delete it, run: ${patch}`);
}

async function endPod(ctx: VdbContext, signal: AbortSignal): Promise<Outcome<"Deleting">> {
  const { vdb, deployment, service, configMap } = ctx;
  const key = keyOfVdb(vdb);
  await removeOwn(ctx, services, key, service, signal);
  await removeOwn(ctx, deployments, key, deployment, signal);
  const names = livePods(ctx);
  if (names.length > 0) {
    const message = `PostgreSQL shuts down in pod ${names.join(", ")}`;
    if (!isLate(ctx)) return after(patienceSeconds, "Deleting", message);
    const kept = ctx.pods.filter(({ metadata }) => names.includes(metadata.name)).map((pod) => keptBy(pod, "pod"));
    return waiting("Deleting", `${message}${kept.find((words) => words !== "") ?? ""}`);
  }
  // Not left to garbage collection: a PostgresVDB that is applied again at once would find the name taken.
  await removeOwn(ctx, configMaps, { ...key, name: configMapName(vdb) }, configMap, signal);
  return done();
}

/** What a volume was to be made from goes with it, where the volume has not come so far. */
async function endStage({ run, vdb, world }: VdbContext, signal: AbortSignal): Promise<Outcome<"Deleting">> {
  const isUnfinished = (vdb.status.delphixID ?? "") === "" || vdb.status.activeAction !== undefined;
  if (isUnfinished && vdb.status.source !== undefined) await world.sources.holding(vdb)?.unstage(run.client, vdb, signal);
  return done();
}

async function releaseVolume(ctx: VdbContext, signal: AbortSignal): Promise<Outcome<"Deleting">> {
  const { run, vdb } = ctx;
  const key = { namespace: vdb.metadata.namespace, name: vdb.status.content?.claimName ?? claimName(vdb, ctx.contentId) };
  const claim = ctx.claim ?? (await run.client.find(persistentVolumeClaims, key, signal));
  if (claim === undefined || !(isControlledBy(claim, vdb) || isAdopted(vdb, claim))) return done();
  const { name, uid } = claim.metadata;
  if (vdb.spec.deletionPolicy === "Retain") {
    if (isControlledBy(claim, vdb))
      await run.client.patch(persistentVolumeClaims, key, { metadata: { ownerReferences: null } }, signal);
    run.event("Normal", "Retained", `claim ${name} and its data stay: spec.deletionPolicy is Retain`);
    return done();
  }
  run.status.delphixVDB = claim.spec.volumeName ?? volumeNameOf(uid);
  await run.saveStatus(signal); // once the claim is gone, this alone tells what to look for
  await removeIfThere(run.client, persistentVolumeClaims, key, signal);
  const message = `Kubernetes deletes the claim ${name}`;
  if (ctx.claim === undefined) return after(0.5, "Deleting", message); // without its label it is not watched
  if (!isLate(ctx)) return after(patienceSeconds, "Deleting", message);
  const { items } = await run.client.list(pods, { namespace: key.namespace }, signal);
  return after(lookAgainSeconds, "Deleting", `${message}${claimKeptBy(claim, items)}`); // pods of others are not watched
}

/** Pure: a claim of the user's that this database has used. One that only has its name is left alone. */
const isAdopted = ({ status }: PostgresVDB, { spec }: PersistentVolumeClaim): boolean =>
  status.source?.type === "pvc-adopt" && (status.delphixID ?? "") !== "" && spec.volumeName === status.delphixVDB;

/** Volume and DCT VDB are deleted by the CSI driver; the finalizer waits until they are, so that nothing is left in silence. */
async function confirmGone(ctx: VdbContext, signal: AbortSignal): Promise<Outcome<"Deleting">> {
  const { run, vdb, world } = ctx;
  const name = run.status.delphixVDB ?? "";
  if (vdb.spec.deletionPolicy === "Retain" || name === "") return forget(ctx);
  const volume = await run.client.find(persistentVolumes, { name }, signal);
  if (volume?.spec.persistentVolumeReclaimPolicy === "Retain") {
    run.event("Normal", "Retained", `volume ${name} and its data stay: its reclaim policy is Retain`);
    return forget(ctx);
  }
  if (volume !== undefined) {
    if (isLate(ctx) && isLeftToDriver(volume) && (await isNamespaceEnding(ctx, signal))) return forget(ctx);
    const why = volume.status?.message ?? (await refusalOf(ctx, volume, signal));
    const message = `the CSI driver deletes the volume ${name}`;
    return why === undefined ? after(0.5, "Deleting", message) : after(1.5, "Deleting", `${message}: ${why}`);
  }
  const left = (await world.sources.holding(vdb)?.gone(name, signal)) ?? ({ kind: "gone" } as const);
  switch (left.kind) {
    case "gone":
      return forget(ctx);
    case "remains":
      return after(1, "Deleting", `the volume is gone, but ${left.message}`);
    case "unknown":
      // A volume that has existed goes only after its driver has deleted the data; without a volume the data is unknown.
      if ((vdb.status.delphixID ?? "") !== "") return forget(ctx);
      return after(5, "Deleting", `${left.message}; to keep the VDB instead, set spec.deletionPolicy to Retain`);
    default:
      return left satisfies never;
  }
}

const lookAgainSeconds = 5;

/**
 * A namespace that is deleted must not wait for DCT. The volume belongs to no namespace: it stays until its driver has deleted
 * the data, whenever DCT is back.
 */
async function isNamespaceEnding({ run, vdb }: VdbContext, signal: AbortSignal): Promise<boolean> {
  const found = await run.client.find(namespaces, { name: vdb.metadata.namespace }, signal);
  return found?.metadata.deletionTimestamp !== undefined;
}

/** Why the driver does not delete a volume: the provisioner says so in events alone. */
async function refusalOf(ctx: VdbContext, volume: PersistentVolume, signal: AbortSignal): Promise<string | undefined> {
  if (!isLate(ctx)) return undefined;
  // Events of what has no namespace lie in `default`.
  const selection = { namespace: "default", fieldSelector: `regarding.uid=${volume.metadata.uid},type=Warning` };
  try {
    const { items } = await ctx.run.client.list(events, selection, signal);
    return claimTrouble(items)?.message;
  } catch (error) {
    if (!isApiError(error, "forbidden")) throw error; // an operator of one namespace may not read them
    return undefined;
  }
}

function forget({ world, vdb }: VdbContext): Outcome<"Deleting"> {
  world.memories.forget(vdb.metadata.uid);
  return done();
}
