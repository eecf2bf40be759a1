import { type Deployment, deployments } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { presentPod } from "../decide/decide-deployment.ts";
import { decideMode, type PodMode } from "../decide/decide-mode.ts";
import { holds } from "../decide/holds.ts";
import { containerName, contentLabel, keyOfVdb, operatorName } from "../names.ts";
import { desiredDeployment, restartAnnotation } from "../objects/deployment.ts";
import { withHash } from "../objects/spec-hash.ts";
import { podState } from "../pod/pod-state.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";
import { hooksDone } from "./run-hooks.ts";

/** Writes the Deployment if it is not as wanted: other than what was written last, or changed by somebody since. */
export async function applyDeployment(
  ctx: VdbContext,
  image: string,
  restartFor: string | undefined,
  signal: AbortSignal,
  mode: PodMode = wantedMode(ctx),
): Promise<Deployment | NotApplied> {
  const { run, vdb, contentId, memory, deployment } = ctx;
  const facts = { contentId, image, claimName: run.status.content?.claimName ?? "", restartedFor: restartFor, mode };
  if (deployment !== undefined && keepsItsPod(ctx, deployment, mode)) return deployment;
  const wanted = withHash(desiredDeployment(vdb, facts));
  const { metadata } = wanted; // with the hash; a change of labels makes no other generation
  const same = deployment !== undefined && holds(deployment, { metadata });
  if (same && memory.deploymentGeneration === deployment.metadata.generation) return deployment;
  const written = await applyOwn(ctx, deployments, wanted, deployment, signal);
  if (!isOutcome(written)) memory.deploymentGeneration = written.metadata.generation;
  return written;
}

const wantedMode = (ctx: VdbContext): PodMode =>
  decideMode({ mode: ctx.vdb.spec.mode, present: ctx.podMode, wasOpened: ctx.wasOpened, hooksDone: hooksDone(ctx) });

/** With the image that it has: for the modes and restarts of the same database. */
export async function restartDeployment(
  ctx: VdbContext,
  signal: AbortSignal,
  { restartFor = restartedFor(ctx), mode }: { readonly restartFor?: string | undefined; readonly mode?: PodMode },
): Promise<Deployment | NotApplied> {
  const image = ctx.deployment?.spec.template.spec.containers.find(({ name }) => name === containerName)?.image ?? "";
  return await applyDeployment(ctx, image, restartFor, signal, mode);
}

/**
 * While an action works on a database that runs, a change that would replace its pod waits, unless that has yet to come to the mode
 * in which clients are let in. A pod that is gone is made anew, and one that fails is replaced: the change may be the cure.
 */
function keepsItsPod(
  { course, pods, contentId, run, wasOpened, podMode }: VdbContext,
  { spec }: Deployment,
  mode: PodMode,
): boolean {
  if (podMode !== mode && (podMode === "Preparing" || !wasOpened)) return false;
  if (course !== "asItRuns" || spec.replicas !== 1) return false;
  if (spec.template.metadata?.labels?.[contentLabel] !== contentId) return false;
  const pod = presentPod(pods, contentId);
  return pod !== undefined && podState(pod, run.clock.now()).kind !== "failed";
}

/** Ends its pod; all else stays as it is written, whatever the manifest has become. */
export async function stopDeployment({ run, vdb, deployment }: VdbContext, signal: AbortSignal): Promise<void> {
  if (deployment === undefined || deployment.spec.replicas === 0) return;
  await run.client.patch(deployments, keyOfVdb(vdb), { spec: { replicas: 0 } }, signal, { fieldManager: operatorName });
}

/** What its pod was last restarted for. */
export const restartedFor = ({ deployment }: VdbContext): string | undefined =>
  deployment?.spec.template.metadata?.annotations?.[restartAnnotation];
