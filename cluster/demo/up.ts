/**
 * `make demo`: a cluster, a production database, a query answered by its virtual copy, and that copy snapshotted, rewound and
 * refreshed. Run again, it brings the same about once more.
 */
import { asksForCurrent, bringImages, currentCluster, startClusterWithImages } from "../stack/cluster.ts";
import { waitForSourceSnapshot } from "../stack/engine.ts";
import { installCharts, operatorNamespace, storageNamespace } from "../stack/install.ts";
import type { Kubectl } from "../stack/kubectl.ts";
import { ensureNamespace, loadProduction, startProduction } from "../stack/production.ts";
import { agreed } from "./consent.ts";
import { askToInstall } from "./current.ts";
import { makeAndUndoMistake, removeOldActions } from "./mistake.ts";
import { command, say } from "./progress.ts";
import { report } from "./report.ts";
import { demoVdb, describeBytes, provisionDemoVdb, removeOldVdb, showAnswer } from "./vdb.ts";

await command(async () => {
  const kubectl = await demoCluster();
  say("Starting a production database: PostgreSQL 16.2 in namespace production, filled by pgbench at scale 20");
  await ensureNamespace(kubectl, storageNamespace, "privileged");
  await startProduction(kubectl, storageNamespace);
  await loadProduction(kubectl, 20);

  say(`Installing charts/delphix-operator into ${operatorNamespace} and charts/delphix-storage into ${storageNamespace}`);
  await installCharts(kubectl);

  say("Linking production to the engine: a base backup over the replication protocol, then a snapshot");
  const snapshot = await waitForSourceSnapshot(kubectl, 600);
  say(`Snapshot ${snapshot.id} of ${snapshot.timestamp}`);

  const former = await removeOldActions(kubectl, demoVdb.namespace);
  await removeOldVdb(kubectl, demoVdb);
  const ready = await provisionDemoVdb(kubectl, demoVdb);
  await showAnswer(kubectl, demoVdb);
  say("Waiting for the file system to count the clone's bytes");
  const ownBytes = await describeBytes(kubectl, demoVdb);
  const actions = await makeAndUndoMistake(kubectl, demoVdb, former);
  report(kubectl, demoVdb, { ready, ownBytes, actions });
});

/** The project's own cluster, or with CLUSTER=current the user's, who is asked first. The images are in it. */
async function demoCluster(): Promise<Kubectl> {
  if (!asksForCurrent()) return await startClusterWithImages(say);
  const { kubectl, context } = await currentCluster(say);
  await askToInstall(kubectl, { context, say, agreed });
  await bringImages(say, context);
  return kubectl;
}
