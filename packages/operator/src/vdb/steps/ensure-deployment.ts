import { after, done, events, findCondition, isApiError, type Pod, pods, terminal, together, waiting } from "kube-runtime";
import {
  gateSoFar,
  type RunningPod,
  type StoredSettings,
  type VdbContext,
  type VdbFinding,
  type VdbFindingStep,
  type VdbUnmet,
} from "../context.ts";
import { type DeploymentPlan, decideDeployment, undisproved } from "../decide/decide-deployment.ts";
import { type PodTrouble, podTrouble } from "../pod/pod-events.ts";
import type { PodFailure, PodState } from "../pod/pod-state.ts";
import { applyDeployment, restartedFor } from "./apply-deployment.ts";
import { applyDisruptionBudget } from "./apply-disruption-budget.ts";
import { isOutcome, type NotApplied } from "./apply-own.ts";
import { applyService } from "./apply-service.ts";

/** Only events tell of a mount or sandbox that fails, and the operator does not watch events. */
const lookAtEventsSeconds = 2;

/**
 * Deployed: Deployment, Service and PodDisruptionBudget are there as wanted, and the server in the pod answers. The Service leads
 * nowhere while the gate is shut.
 * Returns early while the pod starts; when it cannot start, with the cause in the words of the image's registry, the scheduler,
 * the volume's driver or the start script.
 */
type ConfiguredContext = VdbContext & StoredSettings;

export const ensureDeployment: VdbFindingStep<"Deployed", RunningPod, ConfiguredContext> = {
  name: "ensureDeployment",
  condition: "Deployed",
  run: async (ctx, signal) => {
    const image = imageOf(ctx);
    if (image === undefined) return unknownImage(ctx);
    const apply = async () => await applyDeployment(ctx, image, restartedFor(ctx), signal);
    // A first one beside its Service, which leads nowhere then; later a Service that shuts does so before anything happens to the pod.
    const [refused, first] =
      ctx.deployment === undefined ? await together(serve(ctx, signal), apply()) : [await serve(ctx, signal), undefined];
    if (refused !== undefined) return refused;
    const deployment = first ?? (await apply());
    if (isOutcome(deployment)) return deployment;
    return await follow(ctx, decideDeployment(deployment, ctx.pods, ctx.contentId, ctx.run.clock.now()), signal);
  },
};

/** A new Service leads nowhere until openGate has seen to the server. */
async function serve(ctx: VdbContext, signal: AbortSignal): Promise<NotApplied | undefined> {
  const unserved = await applyService(ctx, ctx.service === undefined ? "shut" : gateSoFar(ctx), signal);
  return unserved ?? (await applyDisruptionBudget(ctx, signal));
}

export function imageOf({ vdb, run, world }: VdbContext): string | undefined {
  const major = /^(?:9\.\d+|\d+)/u.exec(run.status.source?.postgresVersion ?? "")?.[0] ?? "";
  return vdb.spec.image ?? world.config.defaults.images.get(major);
}

export function unknownImage({ run }: VdbContext): VdbUnmet<"Deployed"> {
  const version = run.status.source?.postgresVersion ?? "unknown";
  return terminal(
    "ImageUnknown",
    `spec.image is empty, and the operator has no image for the data's PostgreSQL version (${version}): set spec.image`,
  );
}

async function follow(
  ctx: ConfiguredContext,
  plan: DeploymentPlan,
  signal: AbortSignal,
): Promise<VdbFinding<"Deployed", RunningPod>> {
  switch (plan.kind) {
    case "ready":
      return done({ found: { pod: plan.pod } });
    case "refused":
      return terminal("PodRefused", plan.message, { backOff: true });
    case "starting":
      return await starting(ctx, plan, signal);
    case "failed":
      return await failed(ctx, plan.pod, plan.state, signal);
    default:
      return plan satisfies never;
  }
}

async function starting(
  ctx: ConfiguredContext,
  plan: Extract<DeploymentPlan, { kind: "starting" }>,
  signal: AbortSignal,
): Promise<VdbUnmet<"Deployed">> {
  const { vdb, run } = ctx;
  if (ctx.settingsCorrected && plan.pod !== undefined) await restart(ctx, plan.pod, signal); // one more try with the earlier ones
  const trouble = plan.pod === undefined || !plan.mounting ? undefined : await troubleOf(ctx, plan.pod, signal);
  if (trouble !== undefined) return after(lookAtEventsSeconds, trouble.reason, trouble.message);
  const deployed = findCondition(vdb.status.conditions, "Deployed");
  const failure = undisproved(plan, deployed, vdb.metadata.generation, run.clock.now());
  if (failure !== undefined) return terminal(failure.reason, failure.message ?? "", { recheckSeconds: lookAtEventsSeconds });
  const isWatched = plan.pod === undefined || plan.runningSince !== undefined; // what keeps it before that is told by events and by time
  return isWatched ? waiting("Starting", plan.message) : after(lookAtEventsSeconds, "Starting", plan.message);
}

/** What keeps a pod from being set up. Only after some seconds: the first tries may fail while the volume is made ready. */
async function troubleOf(
  ctx: VdbContext,
  { metadata: { name, namespace = "", uid, creationTimestamp } }: Pod,
  signal: AbortSignal,
): Promise<PodTrouble | undefined> {
  if (ctx.run.clock.now() - Date.parse(creationTimestamp) < lookAtEventsSeconds * 1000) return undefined;
  const { items } = await ctx.run.client.list(events, { namespace, fieldSelector: `regarding.uid=${uid},type=Warning` }, signal);
  return podTrouble(name, items);
}

/**
 * The kubelet's first waits are short. A server that was killed two or three times comes up again by itself, after waits of ten
 * and twenty seconds and what a busy node adds: another pod would fix nothing.
 */
const leastWaitSeconds = (reason: PodFailure): number => (reason === "Crashing" ? 45 : 4);

/**
 * The kubelet waits longer after each end, up to minutes. A new pod shows at once whether the cause is fixed. For changed
 * settings the operator creates it at once.
 */
async function failed(
  ctx: ConfiguredContext,
  pod: Pod,
  { reason, message, waitingSince = Infinity }: Extract<PodState, { kind: "failed" }>,
  signal: AbortSignal,
): Promise<VdbUnmet<"Deployed">> {
  const seconds = ctx.run.backOffSeconds(reason);
  const waited = (ctx.run.clock.now() - waitingSince) / 1000 > Math.max(seconds, leastWaitSeconds(reason));
  if (waited || ctx.settingsCorrected) await restart(ctx, pod, signal);
  return terminal(reason, message, { backOff: true });
}

async function restart(
  { run }: VdbContext,
  { metadata: { namespace = "", name, uid } }: Pod,
  signal: AbortSignal,
): Promise<void> {
  try {
    await run.client.delete(pods, { namespace, name }, signal, { preconditions: { uid } });
  } catch (error) {
    if (!isApiError(error, "notFound", "conflict")) throw error;
  }
}
