import { after, done, retry } from "kube-runtime";
import type { PlainVdbStep, VdbContext, VdbOutcome, VdbStep } from "../context.ts";
import { isCurrent } from "../decide/hold.ts";

/** Nothing tells when DCT's state has followed its job. */
const lookAgainSeconds = 0.1;

/**
 * Deployed, too: a VDB that was stopped is enabled in DCT before its pod starts. One that runs is not asked about: it must
 * not depend on DCT.
 */
export const enableInDct: VdbStep<"Deployed"> = {
  name: "enableInDct",
  condition: "Deployed",
  run: async (ctx, signal) => (ctx.deployment?.spec.replicas === 0 ? await attachment(ctx, true, "Starting", signal) : done()),
};

/** When the pod is gone, the VDB is disabled in DCT, once: the condition that it is stopped is the record. */
export const disableInDct: PlainVdbStep = {
  name: "disableInDct",
  run: async (ctx, signal) => {
    const stopped = ctx.vdb.status.conditions?.some(({ type, reason }) => type === "Deployed" && reason === "Stopped");
    return stopped === true ? done() : await attachment(ctx, false, "Stopping", signal);
  },
};

/** The same for an action that replaces the data: the answer to it is the record. */
export const detachInDct: PlainVdbStep = {
  name: "detachInDct",
  run: async (ctx, signal) => {
    const held = ctx.vdb.status.held;
    const isDetached = held?.reason === undefined && held?.hold === "stopped" && isCurrent(held, ctx.vdb, ctx.contentId);
    return isDetached ? done() : await attachment(ctx, false, "Stopping", signal);
  },
};

async function attachment(
  ctx: VdbContext,
  wanted: boolean,
  reason: "Starting" | "Stopping",
  signal: AbortSignal,
): Promise<VdbOutcome<"Deployed">> {
  const { delphixVDB: name = "", delphixID: handle = "" } = ctx.run.status;
  const source = ctx.world.sources.holding(ctx.vdb);
  if (source === undefined) return done();
  const found = await source.setAttached(ctx.run.client, { name, handle }, wanted, signal);
  switch (found.kind) {
    case "asWanted":
      return done();
    case "underWay":
      return after(lookAgainSeconds, reason, found.message);
    case "refused":
      return retry(found.reason, found.message);
    default:
      return found satisfies never;
  }
}
