import { after, type PersistentVolumeClaim, storageClasses, terminal } from "kube-runtime";
import type { AcceptedSpec, VdbContext, VdbOutcome } from "../context.ts";
import { decideDeployment } from "../decide/decide-deployment.ts";
import { applyDeployment, restartedFor } from "./apply-deployment.ts";
import { isOutcome } from "./apply-own.ts";
import { applyService } from "./apply-service.ts";
import { imageOf, unknownImage } from "./ensure-deployment.ts";
import { storeSettings } from "./ensure-settings.ts";

/** The scheduler's troubles are told by the pod, which is watched; those of the driver by events of the claim. */
const lookSeconds = 1.5;

/**
 * A class that binds on the first consumer gives a claim its volume only when a pod that needs it is scheduled. So the Deployment is
 * made before the claim is bound; the pod starts when it is. Undefined for every other class.
 */
export async function bringConsumer(
  ctx: VdbContext & AcceptedSpec,
  { metadata, spec: { storageClassName = "" } }: PersistentVolumeClaim,
  signal: AbortSignal,
): Promise<VdbOutcome<"Provisioned"> | undefined> {
  const found = await ctx.run.client.find(storageClasses, { name: storageClassName }, signal);
  if (found?.volumeBindingMode !== "WaitForFirstConsumer") return undefined;
  const settings = await storeSettings(ctx, signal);
  if (settings.kind === "terminal") return refused(settings.message);
  const image = imageOf(ctx);
  if (image === undefined) return refused(unknownImage(ctx).message);
  const unserved = ctx.service === undefined ? await applyService(ctx, "shut", signal) : undefined;
  if (unserved !== undefined) return refused(unserved.message);
  const deployment = await applyDeployment(ctx, image, restartedFor(ctx), signal);
  if (isOutcome(deployment)) return refused(deployment.message);
  const plan = decideDeployment(deployment, ctx.pods, ctx.contentId, ctx.run.clock.now());
  if (plan.kind === "refused") return refused(plan.message);
  if (plan.kind === "failed") return refused(plan.state.message);
  return after(lookSeconds, "Provisioning", `the claim ${metadata.name} gets its volume when its pod has a node`);
}

const refused = (message: string): VdbOutcome<"Provisioned"> =>
  terminal("ProvisioningFailed", `the StorageClass binds when a pod is scheduled, and there is none: ${message}`, {
    backOff: true,
  });
