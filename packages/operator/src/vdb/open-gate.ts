import { after, isApiError, type Outcome, type Step, services } from "kube-runtime";
import { overcome, retrying, type VdbContext } from "./context.ts";
import { applySettings } from "./ensure-settings.ts";
import { bringIntoForce } from "./in-force.ts";
import { keyOfVdb, operatorName } from "./names.ts";
import { desiredService, endpointOf } from "./objects/service.ts";

/** A Secret is read by name, never watched: this is how late a changed password comes into force. */
const passwordRereadSeconds = 30;

/**
 * Lets clients in: recorded first, so that a pod that starts from now on lets them in too; then the running server; the Service
 * last. From then on a look every half minute sees a changed password.
 */
export const openGate: Step<VdbContext> = {
  name: "openGate",
  run: async (ctx, signal) => {
    const { vdb, pod, world, run } = ctx;
    if (pod === undefined) throw new TypeError("ensureDeployment has found no pod");
    const taken = await applySettings(ctx, "open", signal);
    if (taken !== undefined) return taken;
    const unopened = await openServer(ctx, signal);
    if (unopened !== undefined) return unopened;
    await openService(ctx, signal);
    run.status.endpoint = endpointOf(vdb);
    world.rechecks.after(keyOfVdb(vdb), passwordRereadSeconds);
    return overcome(ctx);
  },
};

async function openServer(ctx: VdbContext, signal: AbortSignal): Promise<Outcome | undefined> {
  if (ctx.pod === undefined) return undefined;
  try {
    const result = await bringIntoForce(ctx, ctx.pod, "open", signal);
    if (result === "inForce" || (result.kind === "answer" && result.state.loaded)) return undefined;
    return result.kind === "answer"
      ? after(0.3, "Preparing", "the server has not yet let clients in")
      : retrying(ctx, "SqlFailed", result.message);
  } catch (error) {
    if (!isApiError(error)) throw error;
    return retrying(ctx, "Unreachable", `the server in pod ${ctx.pod.metadata.name} could not be asked: ${error.message}`);
  }
}

async function openService({ run, vdb, contentId, service }: VdbContext, signal: AbortSignal): Promise<void> {
  const wanted = desiredService(vdb, contentId, "open");
  const holds =
    service !== undefined &&
    sameSelector(service.spec.selector, wanted.spec.selector) &&
    service.spec.ports?.[0]?.port === vdb.spec.port;
  if (!holds) await run.client.apply(services, wanted, { fieldManager: operatorName, force: true }, signal);
}

/** Nothing more and nothing less: one label too many would let nobody in. */
function sameSelector(one: Readonly<Record<string, string>> = {}, other: Readonly<Record<string, string>> = {}): boolean {
  return (
    Object.keys(one).length === Object.keys(other).length && Object.entries(one).every(([key, value]) => other[key] === value)
  );
}
