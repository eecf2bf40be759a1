import { done, isTrue, type Outcome, type Plan, waiting } from "kube-runtime";
import { livePods, type PlainVdbStep, runningPods, type VdbContext } from "../context.ts";
import { stopDeployment } from "./apply-deployment.ts";
import { disableInDct } from "./enable-in-dct.ts";

/** What stays so while a database is stopped, if it was so: its volume, its settings, that its hooks have run. */
const kept = ["Accepted", "SourceResolved", "Provisioned", "Configured", "HooksSucceeded"] as const;

/** The plan for `enabled: false`: the conditions about the data stay, and the pod goes. */
export function stopPlan({ vdb }: Pick<VdbContext, "vdb">): Plan<VdbContext> {
  return { steps: [stopDatabase, disableInDct], keep: kept.filter((type) => isTrue(vdb.status.conditions, type)) };
}

/** The database is shut down cleanly and its pod goes; claim, DCT VDB and everything else stay. */
export const stopDatabase: PlainVdbStep = stopping(livePods);

/** The same for an action that replaces the data: its clients wait, so the pod that the kubelet tidies up is not waited for. */
export const stopServer: PlainVdbStep = stopping(runningPods);

function stopping(left: (ctx: VdbContext) => readonly string[]): PlainVdbStep {
  return { name: "stopDatabase", run: async (ctx, signal) => await stop(ctx, left, signal) };
}

async function stop(
  ctx: VdbContext,
  left: (ctx: VdbContext) => readonly string[],
  signal: AbortSignal,
): Promise<Outcome<"Stopping">> {
  await stopDeployment(ctx, signal);
  const names = left(ctx);
  if (names.length > 0) return waiting("Stopping", `PostgreSQL shuts down in pod ${names.join(", ")}`);
  return makesNoPod(ctx) ? done() : waiting("Stopping", "Kubernetes has yet to see that no pod is wanted");
}

/** A Deployment that asked for a pod a moment ago may get one that no watch has told of yet. */
const makesNoPod = ({ deployment }: VdbContext): boolean =>
  deployment === undefined ||
  (deployment.spec.replicas === 0 &&
    deployment.status?.observedGeneration === deployment.metadata.generation &&
    (deployment.status?.replicas ?? 0) === 0);
