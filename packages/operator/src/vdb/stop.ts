import { after, deployments, done, findCondition, isTrue, type Step } from "kube-runtime";
import type { VdbContext } from "./context.ts";
import { keyOfVdb, operatorName } from "./names.ts";

/** What stays so while a database is stopped: its volume, its settings, that its hooks have run. */
const kept = ["Accepted", "SourceResolved", "Provisioned", "Configured", "HooksSucceeded"] as const;

/** What `enabled: false` comes to: what was found out about the data is still said, and the pod goes. */
export function stopSteps({ vdb }: VdbContext): readonly Step<VdbContext>[] {
  const { conditions } = vdb.status;
  const stays = kept
    .filter((type) => isTrue(conditions, type))
    .map((type): Step<VdbContext> => {
      const { reason = type, message = "" } = findCondition(conditions, type) ?? {};
      return { name: `keep${type}`, condition: type, run: async () => done({ reason, message }) };
    });
  return [...stays, stopDatabase];
}

/** The database is shut down cleanly and its pod goes; claim, DCT VDB and everything else stay. */
const stopDatabase: Step<VdbContext> = {
  name: "stopDatabase",
  run: async ({ run, vdb, deployment, pods }, signal) => {
    if (deployment !== undefined && deployment.spec.replicas !== 0)
      await run.client.patch(deployments, keyOfVdb(vdb), { spec: { replicas: 0 } }, signal, { fieldManager: operatorName });
    if (pods.length === 0) return done();
    const names = pods.map(({ metadata }) => metadata.name).toSorted((a, b) => a.localeCompare(b));
    return after(5, "Stopping", `PostgreSQL is shutting down in pod ${names.join(", ")}`);
  },
};
