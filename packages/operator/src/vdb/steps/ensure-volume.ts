import { postgresVDB, resourceOf } from "@vdb/api";
import {
  after,
  done,
  events,
  findCondition,
  isApiError,
  isControlledBy,
  type Manifest,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  retry,
  terminal,
  together,
  waiting,
} from "kube-runtime";
import type { ClaimPlan, Making } from "../../data/source.ts";
import type { AcceptedSpec, Origin, VdbContext, VdbOutcome, VdbStep, VdbUnmet } from "../context.ts";
import { claimTrouble } from "../decide/claim-events.ts";
import { childLabels, claimName, keyOfVdb, operatorName } from "../names.ts";
import { desiredClaim } from "../objects/claim.ts";
import { bringConsumer } from "./bring-consumer.ts";
import { announcesSettings } from "./ensure-settings.ts";
import { recordContent } from "./record-content.ts";

const postgresVdbs = resourceOf(postgresVDB);

/** Bound is told by a watch; a warning of the provisioner is not. */
const lookAtEventsSeconds = 1.5;
/** No watch tells of a snapshot: the cluster need not know them. */
const lookAtStageSeconds = 0.3;

/**
 * Provisioned: the claim of the present content is there and bound, and DCT's name and id of it are recorded.
 * Returns early while it is being made, with the storage's own words when it refuses.
 */
export const ensureVolume: VdbStep<"Provisioned", VolumeContext> = {
  name: "ensureVolume",
  condition: "Provisioned",
  run: async (ctx, signal) => {
    const plan = decideVolume(ctx);
    switch (plan.kind) {
      case "create":
        return plan.plan.kind === "make" ? await make(ctx, plan.plan, signal) : await adopt(ctx, plan.plan.claimName, signal);
      case "refuse":
        return (plan.reason === "ClaimNotFound" ? await relabel(ctx, signal) : undefined) ?? terminal(plan.reason, plan.message);
      case "wait":
        return await pending(ctx, plan.claim, signal);
      case "bound":
        return await bound(ctx, plan.claim, plan.volumeName, signal);
      default:
        return plan satisfies never;
    }
  },
};

type VolumeContext = VdbContext & AcceptedSpec & { readonly origin: Origin };

export type VolumePlan =
  | { readonly kind: "create"; readonly plan: ClaimPlan }
  | {
      readonly kind: "refuse";
      readonly reason: "ClaimNotOurs" | "ClaimNotFound" | "ProvisioningFailed";
      readonly message: string;
    }
  | { readonly kind: "wait"; readonly claim: PersistentVolumeClaim }
  | { readonly kind: "bound"; readonly claim: PersistentVolumeClaim; readonly volumeName: string };

/** Pure: what is to be done about the claim. */
export function decideVolume({ vdb, origin }: Pick<VdbContext, "vdb"> & { readonly origin: Origin }): VolumePlan {
  const { pvcName, delphixID = "" } = vdb.status;
  if (origin.kind === "plan" && delphixID === "") return { kind: "create", plan: origin.plan };
  if (origin.kind === "plan")
    return {
      kind: "refuse",
      reason: "ClaimNotFound",
      message: `the claim ${pvcName ?? ""} does not exist any more, nor does its data: delete this PostgresVDB and apply it again`,
    };
  const { claim } = origin;
  const { name } = claim.metadata;
  if (origin.kind === "claim" && !isControlledBy(claim, vdb))
    return {
      kind: "refuse",
      reason: "ClaimNotOurs",
      message: `a claim ${name} exists and belongs to another owner: delete it`,
    };
  if (claim.status?.phase === "Lost")
    return {
      kind: "refuse",
      reason: "ProvisioningFailed",
      message: `the claim ${name} has lost its volume ${claim.spec.volumeName ?? ""}: delete this PostgresVDB and apply it again`,
    };
  if (claim.status?.phase === "Bound" && claim.spec.volumeName !== undefined)
    return { kind: "bound", claim, volumeName: claim.spec.volumeName };
  return { kind: "wait", claim };
}

const provisioning = (name: string): VdbUnmet<"Provisioned"> =>
  after(lookAtEventsSeconds, "Provisioning", `the CSI driver provisions the claim ${name}`);

/** Nothing is written to the user's claim. Its name is recorded before anything uses it. */
async function adopt(ctx: VdbContext, name: string, signal: AbortSignal): Promise<VdbOutcome<"Provisioned">> {
  const { run, vdb } = ctx;
  record(ctx, name);
  await run.saveStatus(signal);
  const claim = await run.client.find(persistentVolumeClaims, { namespace: vdb.metadata.namespace, name }, signal);
  return claim?.spec.volumeName === undefined
    ? retry("Provisioning", `the claim ${name} has lost its volume or is gone`)
    : await bound(ctx, claim, claim.spec.volumeName, signal);
}

async function make(ctx: VdbContext, plan: Making, signal: AbortSignal): Promise<VdbOutcome<"Provisioned">> {
  const { run, vdb, world, contentId } = ctx;
  const name = claimName(vdb, contentId);
  record(ctx, name);
  const namesake = await relabel(ctx, signal);
  if (namesake !== undefined) return namesake;
  // Recorded before anything is made for it: it tells where that is, and once the claim exists no step looks at the source again.
  await run.saveStatus(signal, provisioning(name));
  const staged = await world.sources.named(vdb)?.stage(run.client, vdb, plan, signal);
  switch (staged?.kind) {
    case "underWay":
      return after(lookAtStageSeconds, "Provisioning", staged.message);
    case "failed":
      return retry("ProvisioningFailed", staged.message);
    case undefined:
    case "ready":
      if (staged?.dataTimestamp !== undefined) {
        recordContent(ctx, { dataTimestamp: staged.dataTimestamp });
        await run.saveStatus(signal);
      }
      return await create(ctx, desiredClaim(vdb, contentId, plan, world.config.defaults, staged?.dataSource), signal);
    default:
      return staged satisfies never;
  }
}

/** A quota or a policy that refuses the claim is for a person to fix. */
async function create(
  { run }: VdbContext,
  claim: Manifest<PersistentVolumeClaim>,
  signal: AbortSignal,
): Promise<VdbOutcome<"Provisioned">> {
  try {
    await run.client.create(persistentVolumeClaims, claim, signal, { fieldManager: operatorName });
    return provisioning(claim.metadata.name);
  } catch (error) {
    if (!isApiError(error, "forbidden", "invalid")) throw error;
    return terminal("ProvisioningFailed", `the API server refuses the claim ${claim.metadata.name}: ${error.message}`, {
      backOff: true,
      mostSeconds: 5,
    });
  }
}

/** A claim that the caches do not hold: it lost the operator's label, or belongs to another owner. */
async function relabel({ run, vdb, contentId }: VdbContext, signal: AbortSignal): Promise<VdbOutcome<"Provisioned"> | undefined> {
  const key = { namespace: vdb.metadata.namespace, name: vdb.status.content?.claimName ?? claimName(vdb, contentId) };
  const claim = await run.client.find(persistentVolumeClaims, key, signal);
  if (claim === undefined) return undefined;
  if (!isControlledBy(claim, vdb)) return notOurs(key.name);
  await run.client.patch(persistentVolumeClaims, key, { metadata: { labels: childLabels(vdb) } }, signal);
  return waiting("Provisioning", `the operator has put the labels back on the claim ${key.name}`);
}

const notOurs = (name: string): VdbOutcome<"Provisioned"> =>
  terminal("ClaimNotOurs", `a claim ${name} exists and belongs to another owner: delete it`);

async function pending(
  ctx: VolumeContext,
  claim: PersistentVolumeClaim,
  signal: AbortSignal,
): Promise<VdbOutcome<"Provisioned">> {
  const { name, namespace, uid } = claim.metadata;
  record(ctx, name);
  const selection = { namespace: namespace ?? "", fieldSelector: `regarding.uid=${uid},type=Warning` };
  const { items } = await ctx.run.client.list(events, selection, signal);
  const trouble = claimTrouble(items);
  if (trouble === undefined) return (await bringConsumer(ctx, claim, signal)) ?? provisioning(name);
  const message = `cannot provision the claim ${name}: ${trouble.message}`;
  return trouble.passes ? retry(trouble.reason, message) : terminal(trouble.reason, message, { backOff: true, mostSeconds: 5 });
}

async function bound(
  ctx: VdbContext,
  claim: PersistentVolumeClaim,
  volumeName: string,
  signal: AbortSignal,
): Promise<VdbOutcome<"Provisioned">> {
  const { run, vdb, world } = ctx;
  const { name } = claim.metadata;
  const { delphixVDB, delphixID = "" } = vdb.status;
  record(ctx, name);
  if (delphixVDB !== volumeName || delphixID === "") {
    const [volume, { metadata }] = await together(
      run.client.find(persistentVolumes, { name: volumeName }, signal),
      run.client.get(postgresVdbs, keyOfVdb(ctx.vdb), signal),
    );
    // A claim of the user's may have a volume of any kind, which then has no other name.
    const handle = volume?.spec.csi?.volumeHandle ?? (isControlledBy(claim, vdb) ? undefined : volume?.metadata.name);
    if (handle === undefined)
      return retry("ProvisioningFailed", `the volume ${volumeName} of claim ${name} does not belong to a CSI driver`);
    if (metadata.generation !== ctx.vdb.metadata.generation)
      return waiting("Provisioning", "the manifest has changed in the meantime");
    await world.sources.holding(vdb)?.unstage(run.client, vdb, signal); // before the handle, which ends every later look at it
    run.status.delphixVDB = volumeName;
    run.status.delphixID = handle;
    recordContent(ctx, { handle });
    await tellFacts(ctx, handle, signal);
    // Before any pod: from here on the manifest's source can no longer be changed. A first ConfigMap is announced in the same write.
    if (!announcesSettings(ctx)) await run.saveStatus(signal);
  }
  if (world.config.holdAt === "Provisioning" && ctx.gate === "shut")
    return after(5, "Provisioning", "the operator's flag --hold-at, which is for tests, holds the database here");
  return claim.metadata.deletionTimestamp === undefined ? done() : deleted(ctx, name);
}

/** The snapshot that was taken, where it is not the one that was the newest before. A source that does not answer costs no more than that. */
async function tellFacts(ctx: VdbContext, handle: string, signal: AbortSignal): Promise<void> {
  const { run, vdb, world } = ctx;
  const told = await world.sources.holding(vdb)?.facts(handle, signal);
  if (told?.kind === "untold") run.log.warn({ error: told.message }, "cannot find out which snapshot the volume was made from");
  const facts = told?.kind === "told" ? told.value : undefined;
  if (facts === undefined || facts.dataTimestamp === run.status.content?.dataTimestamp) return;
  const { dataTimestamp, snapshot: { id, name } = {} } = facts;
  const snapshot = { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
  recordContent(ctx, { dataTimestamp, snapshot });
}

/** Somebody has deleted the claim of a database that runs: Kubernetes keeps it only as long as a pod uses it. */
function deleted({ run, vdb }: VdbContext, name: string): VdbOutcome<"Provisioned"> {
  const message = `somebody has deleted the claim ${name}, and its data goes when the pod ends: dump the data now with pg_dump`;
  const reason = "ClaimDeleted";
  if (findCondition(vdb.status.conditions, "Provisioned")?.reason !== reason) run.event("Warning", reason, message);
  return done({ reason, message });
}

/** For an earlier run that ended before it could record them. */
function record(ctx: VdbContext, name: string): void {
  recordContent(ctx, { claimName: name });
}
