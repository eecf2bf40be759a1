/** The whole path on a real cluster: apply → Ready → data, independence, restart, settings, kubectl, deletion. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  cloneBytes,
  eventually,
  type Json,
  portForward,
  productionSql,
  psqlThroughService,
  testCluster,
  text,
  tryRun,
  withEngine,
} from "@vdb/cluster";
import { remains } from "./remains.ts";
import {
  accountsChecksum,
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  setEnabled,
  setPasswordSecret,
  sqlInPod,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const first = { name: "vertical-a", namespace, spec: { port: 5493, postgresConfig: [{ name: "work_mem", value: "7MB" }] } };
/** Of no use but to show that a watch has begun. */
const canary = { name: "vertical-canary", namespace, spec: { enabled: false } };
const second = { name: "vertical-b", namespace };
const endpoint = { ...first, port: 5493, secret: "vertical-a-password", user: "postgres", database: "postgres" };
const instance = `app.kubernetes.io/instance=${first.name}`;
const statusOf = (vdb: Json | undefined) => ({
  pvcName: text(vdb, "status", "pvcName"),
  delphixID: text(vdb, "status", "delphixID"),
});
const checksum = accountsChecksum;

describe("a PostgresVDB of a dSource", { timeout: 1_200_000 }, () => {
  let password = "";
  before(async () => {
    password = await makePasswordSecret(kubectl, first);
    await makePasswordSecret(kubectl, second);
  });
  after(async () => {
    for (const vdb of [first, second, canary]) await deleteVdb(kubectl, vdb);
  });

  test("goes through the documented phases in their order to Ready", async () => {
    const seen: string[] = [];
    let begun = false;
    const watching = new AbortController();
    const watch = kubectl.try(
      ["get", "postgresvdb", "-n", namespace, "-w", "-o", "jsonpath={.metadata.name} {.status.phase}{'\\n'}"],
      {
        signal: watching.signal,
        onLine: (line) => {
          const [name, phase = ""] = line.split(" ");
          begun ||= name === canary.name;
          if (name === first.name && phase !== seen.at(-1)) seen.push(phase);
        },
      },
    );
    await applyVdb(kubectl, canary);
    await eventually("the watch has begun", 120, async () => (begun ? true : undefined));
    await applyVdb(kubectl, first);
    const vdb = await waitForPhase(kubectl, first, "Ready");
    await eventually("the watch saw Ready", 60, async () => (seen.at(-1) === "Ready" ? true : undefined));
    watching.abort();
    await watch;
    equal(seen.join(" "), "Pending Provisioning Configuring Deploying Ready", "each once, in this order");
    equal(condition(vdb, "Ready")?.status, "True");
  });

  test("holds the source's data: rows and checksum are equal", async () => {
    equal(await psqlThroughService(kubectl, endpoint, checksum), await productionSql(kubectl, checksum));
  });

  test("costs a small part of its source's bytes", async () => {
    const vdb = await kubectl.get("postgresvdb", first.name, namespace);
    const id = text(vdb, "status", "delphixID");
    const bytes = await eventually("the clone's bytes are counted", 180, async () => await cloneBytes(kubectl, id));
    ok(bytes.clone < bytes.source / 4, `${bytes.clone} of ${bytes.source} bytes`);
  });

  test("never ran initdb: its system identifier is the source's", async () => {
    const sql = "SELECT system_identifier FROM pg_control_system()";
    equal(await sqlInPod(kubectl, first, sql), await productionSql(kubectl, sql));
  });

  test("shares nothing with its source: rows written on either side stay there", async () => {
    await psqlThroughService(kubectl, endpoint, "CREATE TABLE only_here AS SELECT 1 AS n");
    await productionSql(kubectl, "CREATE TABLE IF NOT EXISTS only_there AS SELECT 1 AS n");
    equal(await productionSql(kubectl, "SELECT to_regclass('only_here') IS NULL"), "t");
    equal(await psqlThroughService(kubectl, endpoint, "SELECT to_regclass('only_there') IS NULL"), "t");
    await productionSql(kubectl, "DROP TABLE only_there");
  });

  test("a second VDB of the same snapshot is independent of the first", async () => {
    await applyVdb(kubectl, second);
    await waitForPhase(kubectl, second, "Ready");
    equal(await sqlInPod(kubectl, second, "SELECT to_regclass('only_here') IS NULL"), "t");
    await sqlInPod(kubectl, second, "DELETE FROM pgbench_accounts WHERE aid <= 1000");
    equal(await psqlThroughService(kubectl, endpoint, checksum), await productionSql(kubectl, checksum));
  });

  test("postgresConfig is in force, and a change of it too", async () => {
    equal(await sqlInPod(kubectl, first, "SHOW work_mem"), "7MB");
    await applyVdb(kubectl, { ...first, spec: { ...first.spec, postgresConfig: [{ name: "work_mem", value: "9MB" }] } });
    await eventually("the new setting is in force", 180, async () =>
      (await sqlInPod(kubectl, first, "SHOW work_mem")) === "9MB" ? true : undefined,
    );
  });

  test("the Secret's password opens it, another does not, and a changed one comes into force", async () => {
    await using forward = await portForward(kubectl, namespace, `svc/${first.name}`, 5493);
    const login = (secret: string) =>
      tryRun("psql", ["-h", "127.0.0.1", "-p", String(forward.port), "-U", "postgres", "-d", "postgres", "-qXAtc", "SELECT 1"], {
        env: { PGPASSWORD: secret },
      });
    equal((await login(password)).stdout.trim(), "1");
    notEqual((await login("not-the-password")).exitCode, 0);
    await setPasswordSecret(kubectl, namespace, "vertical-a-password", { password: "another-password-1" });
    await eventually("the changed password opens it", 240, async () =>
      (await login("another-password-1")).exitCode === 0 ? true : undefined,
    );
    notEqual((await login(password)).exitCode, 0, "the old password is out of force");
  });

  test("its pod deleted, it comes back with its data", async () => {
    await kubectl.run(["delete", "pod", "-n", namespace, `-l=${instance}`, "--timeout=180s"]);
    await kubectl.run(["rollout", "status", `deploy/${first.name}`, "-n", namespace, "--timeout=180s"]);
    await waitForPhase(kubectl, first, "Ready");
    equal(await psqlThroughService(kubectl, endpoint, "SELECT n FROM only_here"), "1");
    equal(await psqlThroughService(kubectl, endpoint, checksum), await productionSql(kubectl, checksum));
  });

  test("the specification's kubectl commands run as written", async () => {
    const described = await kubectl.run(["describe", "postgresvdb", first.name, "-n", namespace]);
    match(described, /Status: +True\n +Type: +Ready\n/u);
    match(await kubectl.run(["get", "postgresvdb", first.name, "-n", namespace]), /NAME +PVC +PORT +PHASE +READY/u);
    match(await kubectl.run(["logs", "-n", namespace, "-l", "app.kubernetes.io/name=delphix-operator"]), /vertical-a/u);
    const [pod = ""] = (await kubectl.run(["get", "pods", "-n", namespace, `-l=${instance}`, "-o", "name"])).split("\n");
    match(pod, /^pod\/vertical-a-[a-z0-9]+-[a-z0-9]{5}$/u, "<deployment-name>-<replicaset-hash>-<pod-suffix>");
    equal(await kubectl.run(["exec", "-i", pod, "-n", namespace, "--", "/bin/sh"], { input: "psql -qXAtc 'SELECT 1'" }), "1");
    match(await kubectl.run(["get", "postgresvdb", "-A", "-l", "sourceDBName=production,envName=dev-env"]), /vertical-a/u);
    const { pvcName } = statusOf(await kubectl.get("postgresvdb", first.name, namespace));
    const claims = await kubectl.list("pvc", ["-A"]);
    const documented = { vdbGroupName: "Untitled", envName: "dev-env", engineName: "delphix-engine", sourceDBName: "production" };
    for (const [key, value] of Object.entries(documented)) {
      // As the specification's jq does: select(.metadata.annotations.KEY=="VALUE") | .metadata.name
      const names = claims
        .filter((claim) => text(claim, "metadata", "annotations", key) === value)
        .map((claim) => text(claim, "metadata", "name"));
      ok(names.includes(pvcName), `${key}=${value}: ${names.join(", ")}`);
    }
  });

  test("disabled, it stops, in DCT too, and keeps its data; enabled, it answers again", async () => {
    const inDct = async () => {
      const { delphixID } = statusOf(await kubectl.get("postgresvdb", first.name, namespace));
      const vdb = await withEngine(kubectl, async (engine) => await engine.getVdb(delphixID));
      return [vdb?.enabled, vdb?.status];
    };
    deepEqual(await inDct(), [true, "RUNNING"]);
    await setEnabled(kubectl, first, false);
    await waitForPhase(kubectl, first, "Stopped");
    deepEqual(await inDct(), [false, "DISABLED"]);
    equal((await kubectl.list("pods", ["-n", namespace, `-l=${instance}`])).length, 0);
    await setEnabled(kubectl, first, true);
    await waitForPhase(kubectl, first, "Ready");
    deepEqual(await inDct(), [true, "RUNNING"]);
    equal(await psqlThroughService(kubectl, endpoint, "SELECT n FROM only_here"), "1");
  });

  test("deleted, nothing of it is left: no pod, PVC, PV, DCT VDB, data or mount", async () => {
    const standing = await remains(kubectl, first);
    for (const [what, found] of Object.entries(standing))
      notEqual(found, "", `while it stands, ${what} is found: else this test proves nothing`);
    await deleteVdb(kubectl, first);
    const left = await eventually("nothing is left", 120, async () => {
      const found = await remains(kubectl, first, standing);
      return Object.values(found).every((one) => one === "") ? found : undefined;
    });
    ok(left);
    equal(await sqlInPod(kubectl, second, "SELECT count(*) FROM pgbench_branches"), "10", "its neighbour is untouched");
  });
});
