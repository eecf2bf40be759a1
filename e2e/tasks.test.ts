/** The specification's tasks on a running database, and what becomes of them when somebody dies meanwhile. */
import { deepEqual, equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { eventually, type Json, testCluster, text } from "@vdb/cluster";
import { killPods, operatorPods } from "./pods.ts";
import { applyVdb, deleteVdb, makePasswordSecret, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const vdb = { name: "my-postgres-vdb", namespace };

const sample = (name: string): string => readFileSync(new URL(`../samples/${name}.yaml`, import.meta.url), "utf8");
const taskYaml = (name: string, spec: object): string =>
  JSON.stringify({
    apiVersion: "actions.delphix.com/v1alpha1",
    kind: "PostgresTask",
    metadata: { name, namespace },
    spec: { targetRef: { name: vdb.name }, ...spec },
  });

const slow = (who: string): object => ({ content: `INSERT INTO ran VALUES ('${who}'); SELECT pg_sleep(8);` });

async function ended(kind: string, name: string): Promise<Json> {
  return await eventually(`${kind} ${name} has ended`, 180, async () => {
    const found = await kubectl.get(kind, name, namespace);
    if (["Completed", "Error"].includes(text(found, "status", "phase"))) return found;
    throw new Error(text(found, "status"));
  });
}

describe("tasks", { timeout: 1_200_000 }, () => {
  let password = "";
  before(async () => {
    password = await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    await sqlInPod(kubectl, vdb, "CREATE DATABASE appdb");
  });
  after(async () => {
    await kubectl.run(["delete", "postgrestasks,tasks", "--all", "-n", namespace, "--timeout=120s"]);
    await deleteVdb(kubectl, vdb);
  });

  test("the specification's PostgresTask runs as written", async () => {
    await kubectl.apply(sample("postgrestask"));
    const found = await ended("postgrestask", "check-schema");
    deepEqual([text(found, "status", "phase"), text(found, "status", "exitCode")], ["Completed", "0"]);
    match(text(found, "status", "output"), /^ ?schemaname \| tablename ?\n-+\+-+\n\(0 rows\)$/u);
  });

  test("the sample Task runs a command", async () => {
    await kubectl.apply(sample("task"));
    const found = await ended("task", "disk-use");
    match(text(found, "status", "output"), /^[\d.]+[KMG]\t\/mnt\/postgres\/data$/u);
  });

  test("its output shows no password, and an error its SQLSTATE and position", async () => {
    await kubectl.apply(taskYaml("telling", { content: `SELECT '${password}' AS secret;\nSELECT nowhere;` }));
    const found = await ended("postgrestask", "telling");
    const output = text(found, "status", "output");
    equal(output.includes(password), false);
    match(output, /\*\*\*[^]*ERROR: {2}42703: column "nowhere" does not exist\nLINE 1: SELECT nowhere;/u);
    equal(text(found, "status", "phase"), "Error");
  });

  test("two at once run one after the other, and the operator killed under them neither loses nor repeats one", async () => {
    await sqlInPod(kubectl, vdb, "CREATE TABLE ran (who text)");
    await kubectl.apply(taskYaml("first", slow("first")));
    await kubectl.apply(taskYaml("second", slow("second")));
    await eventually("the first runs", 60, async () =>
      (await sqlInPod(kubectl, vdb, "SELECT count(*) FROM ran")) === "1" ? true : undefined,
    );
    await killPods(kubectl, operatorPods);
    const [first, second] = [await ended("postgrestask", "first"), await ended("postgrestask", "second")];
    deepEqual([text(first, "status", "phase"), text(second, "status", "phase")], ["Completed", "Completed"]);
    equal(await sqlInPod(kubectl, vdb, "SELECT string_agg(who, ' ' ORDER BY ctid) FROM ran"), "first second");
    const [end, start] = [text(first, "status", "completionTime"), text(second, "status", "startTime")];
    equal(Date.parse(start) >= Date.parse(end) - 1000, true, `${end} ${start}`);
  });

  test("one that is deleted while it runs is ended in the server", async () => {
    await kubectl.apply(taskYaml("deleted", { content: "SELECT pg_sleep(3600)", timeoutSeconds: 3600 }));
    const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'";
    await eventually("it runs", 60, async () => ((await sqlInPod(kubectl, vdb, sleeping)) === "1" ? true : undefined));
    await kubectl.run(["delete", "postgrestask", "deleted", "-n", namespace, "--timeout=60s"]);
    equal(await sqlInPod(kubectl, vdb, sleeping), "0");
    equal(text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "activeAction"), "");
  });
});
