/** The operator may die between any two lines: what it began is found again, and done once. */
import { equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, installCharts, testCluster, text, withEngine } from "@vdb/cluster";
import { killPods, operatorPods } from "./pods.ts";
import { applyVdb, deleteVdb, makePasswordSecret, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "interrupted", namespace: "pg-operator" };

before(async () => void (await makePasswordSecret(kubectl, vdb)));
after(async () => {
  await installCharts(kubectl);
  await deleteVdb(kubectl, vdb);
});

test("killed in Provisioning, the VDB still gets Ready, with exactly one DCT VDB", { timeout: 900_000 }, async () => {
  await installCharts(kubectl, { operatorValues: { testing: { holdAt: "Provisioning" } } });
  await applyVdb(kubectl, vdb);
  await waitForPhase(kubectl, vdb, "Provisioning");
  await eventually("the volume is asked for while the operator holds", 180, async () =>
    (await vdbsOf(vdb.name)) === 1 ? true : undefined,
  );
  await killPods(kubectl, operatorPods);
  await installCharts(kubectl);
  await waitForPhase(kubectl, vdb, "Ready", 180);
  equal(await vdbsOf(vdb.name), 1);
});

/** How many DCT VDBs were provisioned for the PVCs of a PostgresVDB, by the tags that the driver gives them. */
async function vdbsOf(name: string): Promise<number> {
  const pvcs = await kubectl.list("pvc", ["-n", vdb.namespace, "-l", `app.kubernetes.io/instance=${name}`]);
  const names = pvcs.map((pvc) => text(pvc, "metadata", "name"));
  return await withEngine(kubectl, async (engine) => {
    const all = await engine.searchVdbs();
    return all.filter(({ tags = [] }) => tags.some(({ value }) => names.includes(value))).length;
  });
}
