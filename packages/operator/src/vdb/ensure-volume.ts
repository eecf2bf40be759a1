import {
  after,
  done,
  events,
  isControlledBy,
  type Outcome,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Step,
  terminal,
} from "kube-runtime";
import { retrying, stalled, type VdbContext } from "./context.ts";
import { claimTrouble } from "./diagnose/claim-events.ts";
import { childLabels, claimName, operatorName } from "./names.ts";
import { desiredClaim } from "./objects/claim.ts";

/** Bound is told by a watch; a warning of the provisioner is not. */
const lookAtEventsSeconds = 1.5;

/**
 * Provisioned: the claim of the present content is there and bound, and DCT's name and id of it are recorded.
 * Returns early while it is being made, with the storage's own words when it refuses.
 */
export const ensureVolume: Step<VdbContext> = {
  name: "ensureVolume",
  condition: "Provisioned",
  run: async (ctx, signal) => {
    const plan = decideVolume(ctx);
    switch (plan.kind) {
      case "create":
        return await create(ctx, signal);
      case "refuse":
        return (plan.reason === "ClaimNotFound" ? await relabel(ctx, signal) : undefined) ?? terminal(plan.reason, plan.message);
      case "wait":
        return await pending(ctx, plan.claim, signal);
      case "bound":
        return await bound(ctx, plan.volumeName, signal);
      default:
        return plan satisfies never;
    }
  },
};

export type VolumePlan =
  | { readonly kind: "create" }
  | {
      readonly kind: "refuse";
      readonly reason: "ClaimNotOurs" | "ClaimNotFound" | "ProvisioningFailed";
      readonly message: string;
    }
  | { readonly kind: "wait"; readonly claim: PersistentVolumeClaim }
  | { readonly kind: "bound"; readonly volumeName: string };

/** Pure: what is to be done about the claim. */
export function decideVolume({ vdb, claim }: Pick<VdbContext, "vdb" | "claim">): VolumePlan {
  const { pvcName, delphixID = "" } = vdb.status;
  if (claim === undefined && delphixID === "") return { kind: "create" };
  if (claim === undefined)
    return {
      kind: "refuse",
      reason: "ClaimNotFound",
      message: `the claim ${pvcName ?? ""} that held the data is gone, and its data with it: delete this PostgresVDB and apply it anew`,
    };
  const { name } = claim.metadata;
  if (!isControlledBy(claim, vdb))
    return {
      kind: "refuse",
      reason: "ClaimNotOurs",
      message: `a claim ${name} exists and belongs to somebody else: delete or rename it`,
    };
  if (claim.status?.phase === "Lost")
    return {
      kind: "refuse",
      reason: "ProvisioningFailed",
      message: `the claim ${name} has lost its volume ${claim.spec.volumeName ?? ""}`,
    };
  if (claim.status?.phase === "Bound" && claim.spec.volumeName !== undefined)
    return { kind: "bound", volumeName: claim.spec.volumeName };
  return { kind: "wait", claim };
}

const provisioning = (name: string): Outcome =>
  after(lookAtEventsSeconds, "Provisioning", `the claim ${name} is being provisioned through DCT`);

async function create(ctx: VdbContext, signal: AbortSignal): Promise<Outcome> {
  const { run, vdb, world, contentId, source } = ctx;
  if (source === undefined) throw new TypeError("resolveSource has found nothing to provision from");
  const claim = desiredClaim(vdb, contentId, source, world.config.defaults.storageClassName);
  run.status.contentId = contentId;
  run.status.pvcName = claim.metadata.name;
  const namesake = await relabel(ctx, signal);
  if (namesake !== undefined) return namesake;
  await run.client.create(persistentVolumeClaims, claim, signal, { fieldManager: operatorName });
  return provisioning(claim.metadata.name);
}

/** A claim that the caches do not hold: without the operator's label, by somebody's mistake, or somebody else's. */
async function relabel({ run, vdb, contentId }: VdbContext, signal: AbortSignal): Promise<Outcome | undefined> {
  const key = { namespace: vdb.metadata.namespace, name: vdb.status.pvcName ?? claimName(vdb, contentId) };
  const claim = await run.client.find(persistentVolumeClaims, key, signal);
  if (claim === undefined) return undefined;
  if (!isControlledBy(claim, vdb)) return notOurs(key.name);
  await run.client.patch(persistentVolumeClaims, key, { metadata: { labels: childLabels(vdb) } }, signal);
  return after(0, "Provisioning", `the claim ${key.name} has its labels again`);
}

const notOurs = (name: string): Outcome =>
  terminal("ClaimNotOurs", `a claim ${name} exists and belongs to somebody else: delete or rename it`);

async function pending(ctx: VdbContext, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<Outcome> {
  const { name, namespace, uid } = claim.metadata;
  record(ctx, name);
  const selection = { namespace: namespace ?? "", fieldSelector: `regarding.uid=${uid},type=Warning` };
  const { items } = await ctx.run.client.list(events, selection, signal);
  const trouble = claimTrouble(items);
  if (trouble === undefined) return provisioning(name);
  const message = `the claim ${name} cannot be provisioned: ${trouble.message}`;
  return trouble.passes ? retrying(ctx, trouble.reason, message) : stalled(ctx, trouble.reason, message, 5);
}

async function bound(ctx: VdbContext, volumeName: string, signal: AbortSignal): Promise<Outcome> {
  const { run, world, claim } = ctx;
  record(ctx, claim?.metadata.name ?? "");
  if (run.status.delphixVDB !== volumeName || (run.status.delphixID ?? "") === "") {
    const volume = await run.client.find(persistentVolumes, { name: volumeName }, signal);
    if (volume?.spec.csi === undefined)
      return retrying(
        ctx,
        "ProvisioningFailed",
        `the volume ${volumeName} of claim ${claim?.metadata.name ?? ""} is none of a CSI driver`,
      );
    run.status.delphixVDB = volumeName;
    run.status.delphixID = volume.spec.csi.volumeHandle;
  }
  if (world.config.holdAt === "Provisioning" && ctx.gate === "shut")
    return after(5, "Provisioning", "held by the operator's flag --hold-at, which is for tests");
  return done();
}

/** What an earlier run did not come to write down. */
function record({ run, contentId }: VdbContext, pvcName: string): void {
  run.status.contentId = contentId;
  run.status.pvcName = pvcName;
}
