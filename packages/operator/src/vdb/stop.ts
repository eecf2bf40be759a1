import { after, deployments, done, findCondition, isTrue, type Step } from "kube-runtime";
import { disableInDct } from "./attach.ts";
import { livePods, type VdbContext } from "./context.ts";
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
  return [...stays, stopDatabase, disableInDct];
}

/** The database is shut down cleanly and its pod goes; claim, DCT VDB and everything else stay. */
const stopDatabase: Step<VdbContext> = {
  name: "stopDatabase",
  run: async (ctx, signal) => {
    const { run, vdb, deployment } = ctx;
    if (deployment !== undefined && deployment.spec.replicas !== 0)
      await run.client.patch(deployments, keyOfVdb(vdb), { spec: { replicas: 0 } }, signal, { fieldManager: operatorName });
    const names = livePods(ctx);
    if (names.length === 0) return done();
    return after(5, "Stopping", `PostgreSQL is shutting down in pod ${names.join(", ")}`);
  },
};
