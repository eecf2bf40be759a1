/** Brings the test cluster to what the e2e tests stand on: production filled, both charts installed, a dSource snapshot taken. */
import { join } from "node:path";
import process from "node:process";
import {
  ensureNamespace,
  installCharts,
  loadProduction,
  postgresVersion,
  run,
  startProduction,
  storageNamespace,
  testCluster,
  waitForSourceSnapshot,
} from "@vdb/cluster";

const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const from = performance.now();
  const result = await work();
  console.log(`install: ${what} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
  return result;
};

const kubectl = await testCluster();
if (process.env["POSTGRES_VERSION"] !== undefined)
  await step("image", async () => {
    await run(join(import.meta.dirname, "../cluster/load-images"), [`postgres${postgresVersion}`]);
  });
await step("production database", async () => {
  await ensureNamespace(kubectl, storageNamespace, "privileged");
  await startProduction(kubectl, storageNamespace);
  await loadProduction(kubectl, 10);
});
await step("charts", async () => await installCharts(kubectl));
await step("dSource snapshot", async () => await waitForSourceSnapshot(kubectl, 300));
