import { after, done, type Outcome, persistentVolumes, retry, type Step } from "kube-runtime";
import { type Attachment, detached, isAttachedByKubernetes, setEnabled } from "../data/dct/attach.ts";
import type { VdbContext } from "./context.ts";

/** Nothing tells when DCT's state has followed its job. */
const lookAgainSeconds = 0.1;

/**
 * Deployed, too: a VDB that was stopped is enabled in DCT before its pod starts. One that runs is not asked about: it must
 * not depend on DCT.
 */
export const enableInDct: Step<VdbContext> = {
  name: "enableInDct",
  condition: "Deployed",
  run: async (ctx, signal) => (ctx.deployment?.spec.replicas === 0 ? await attachment(ctx, true, "Starting", signal) : done()),
};

/** When the pod is gone, the VDB is disabled in DCT, once: the condition that it is stopped is the record. */
export const disableInDct: Step<VdbContext> = {
  name: "disableInDct",
  run: async (ctx, signal) => {
    const stopped = ctx.vdb.status.conditions?.some(({ type, reason }) => type === "Deployed" && reason === "Stopped");
    return stopped === true ? done() : await attachment(ctx, false, "Stopping", signal);
  },
};

async function attachment(ctx: VdbContext, wanted: boolean, reason: string, signal: AbortSignal): Promise<Outcome> {
  const found = await reach(ctx, wanted, signal);
  switch (found.kind) {
    case "asWanted":
      return done();
    case "underWay":
      return after(lookAgainSeconds, reason, found.message);
    case "refused":
      return retry("DctFailed", found.message);
    default:
      return found satisfies never;
  }
}

async function reach({ run, world }: VdbContext, wanted: boolean, signal: AbortSignal): Promise<Attachment> {
  const { delphixVDB = "", delphixID = "" } = run.status;
  const volume = delphixID === "" ? undefined : await run.client.find(persistentVolumes, { name: delphixVDB }, signal);
  const driver = volume?.spec.csi?.driver;
  if (driver === undefined) return { kind: "asWanted" };
  if (await isAttachedByKubernetes(run.client, driver, signal))
    return wanted ? { kind: "asWanted" } : await detached(run.client, delphixVDB, signal);
  return await world.dct.call(async (dct) => await setEnabled(dct, delphixID, wanted, signal), signal);
}
