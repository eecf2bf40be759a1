import { done, isTrue, type Plan, waiting } from "kube-runtime";
import { livePods, type PlainVdbStep, type VdbContext } from "../context.ts";
import { stopDeployment } from "./apply-deployment.ts";
import { disableInDct } from "./enable-in-dct.ts";

/** What stays so while a database is stopped, if it was so: its volume, its settings, that its hooks have run. */
const kept = ["Accepted", "SourceResolved", "Provisioned", "Configured", "HooksSucceeded"] as const;

/** The plan for `enabled: false`: the conditions about the data stay, and the pod goes. */
export function stopPlan({ vdb }: Pick<VdbContext, "vdb">): Plan<VdbContext> {
  return { steps: [stopDatabase, disableInDct], keep: kept.filter((type) => isTrue(vdb.status.conditions, type)) };
}

/** The database is shut down cleanly and its pod goes; claim, DCT VDB and everything else stay. */
export const stopDatabase: PlainVdbStep = {
  name: "stopDatabase",
  run: async (ctx, signal) => {
    await stopDeployment(ctx, signal);
    const names = livePods(ctx);
    if (names.length > 0) return waiting("Stopping", `PostgreSQL shuts down in pod ${names.join(", ")}`);
    return makesNoPod(ctx) ? done() : waiting("Stopping", "Kubernetes has yet to see that no pod is wanted");
  },
};

/** A Deployment that asked for a pod a moment ago may get one that no watch has told of yet. */
const makesNoPod = ({ deployment }: VdbContext): boolean =>
  deployment === undefined ||
  (deployment.spec.replicas === 0 &&
    deployment.status?.observedGeneration === deployment.metadata.generation &&
    (deployment.status?.replicas ?? 0) === 0);
