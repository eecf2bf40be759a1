import { type Deployment, deployments } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { keyOfVdb, operatorName } from "../names.ts";
import { desiredDeployment, restartAnnotation } from "../objects/deployment.ts";
import { specHash } from "../objects/spec-hash.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";

/** Writes the Deployment if it is not as wanted: other than what was written last, or changed by somebody since. */
export async function applyDeployment(
  ctx: VdbContext,
  image: string,
  restartFor: string | undefined,
  signal: AbortSignal,
): Promise<Deployment | NotApplied> {
  const { run, vdb, contentId, memory, deployment } = ctx;
  const facts = { contentId, image, claimName: run.status.content?.claimName ?? "", restartedFor: restartFor };
  const wanted = specHash(desiredDeployment(vdb, facts));
  const same = deployment !== undefined && wanted.hash === wanted.hashOf(deployment);
  if (same && memory.deploymentGeneration === deployment.metadata.generation) return deployment;
  const written = await applyOwn(ctx, deployments, wanted.manifest, deployment, signal);
  if (!isOutcome(written)) memory.deploymentGeneration = written.metadata.generation;
  return written;
}

/** Ends its pod; all else stays as it is written, whatever the manifest has become. */
export async function stopDeployment({ run, vdb, deployment }: VdbContext, signal: AbortSignal): Promise<void> {
  if (deployment === undefined || deployment.spec.replicas === 0) return;
  await run.client.patch(deployments, keyOfVdb(vdb), { spec: { replicas: 0 } }, signal, { fieldManager: operatorName });
}

/** What its pod was last restarted for. */
export const restartedFor = ({ deployment }: VdbContext): string | undefined =>
  deployment?.spec.template.metadata?.annotations?.[restartAnnotation];
