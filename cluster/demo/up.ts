/** `make demo`: a cluster, a production database, and a query answered by its virtual copy. Run again, it brings the same about once more. */
import { chosenCluster } from "../stack/cluster.ts";
import { waitForSourceSnapshot } from "../stack/engine.ts";
import { installCharts, operatorNamespace, storageNamespace } from "../stack/install.ts";
import { ensureNamespace, loadProduction, startProduction } from "../stack/production.ts";
import { command, say } from "./progress.ts";
import { demoVdb, provisionDemoVdb } from "./vdb.ts";

await command(async () => {
  const kubectl = await chosenCluster({ up: true, say });
  say("Production: PostgreSQL 16.2 in namespace production, filled by pgbench at scale 20");
  await ensureNamespace(kubectl, storageNamespace, "privileged");
  await startProduction(kubectl, storageNamespace);
  await loadProduction(kubectl, 20);

  say(`Installing charts/delphix-operator into ${operatorNamespace} and charts/delphix-storage into ${storageNamespace}`);
  await installCharts(kubectl);

  say("Linking production to the engine: a base backup over the replication protocol, then a snapshot");
  const snapshot = await waitForSourceSnapshot(kubectl, 600);
  say(`Snapshot ${snapshot.id} of ${snapshot.timestamp}`);

  await provisionDemoVdb(kubectl, demoVdb);
});
