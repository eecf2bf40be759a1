import { done, isControlledBy, type PersistentVolumeClaim, persistentVolumeClaims, waiting } from "kube-runtime";
import type { OperatorConfig } from "../../config.ts";
import type { PlainVdbStep, VdbContext } from "../context.ts";
import { isOutdated } from "../objects/claim.ts";
import { stopDeployment } from "./apply-deployment.ts";
import { removeIfThere } from "./remove.ts";

/**
 * As long as a claim has no data and comes from an earlier manifest, the operator deletes it before any other step: the driver
 * then gives up what it has begun, and a fixed mistake leaves nothing behind. Returns early until the claim is gone.
 */
export const retireClaim: PlainVdbStep = {
  name: "retireClaim",
  run: async (ctx, signal) => {
    const { run, claim } = ctx;
    if (claim === undefined || !isToRetire(ctx, claim)) return done();
    const { namespace = "", name, uid, deletionTimestamp } = claim.metadata;
    await stopDeployment(ctx, signal); // a claim that is bound by its first consumer has one already
    if (deletionTimestamp === undefined)
      await removeIfThere(run.client, persistentVolumeClaims, { namespace, name }, signal, { preconditions: { uid } });
    return waiting("Provisioning", `the claim ${name} holds no data yet: the operator deletes it and creates it again`);
  },
};

type Retirement = Pick<VdbContext, "vdb"> & { readonly world: { readonly config: Pick<OperatorConfig, "defaults"> } };

/** Pure. Once the volume's id is written down a pod may have used it: from then on the claim is never touched. */
export function isToRetire({ vdb, world }: Retirement, claim: PersistentVolumeClaim): boolean {
  if ((vdb.status.delphixID ?? "") !== "" || !isControlledBy(claim, vdb)) return false;
  return claim.metadata.deletionTimestamp !== undefined || isOutdated(claim, vdb, world.config.defaults);
}
