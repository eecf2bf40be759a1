/** The specification's snapshots of a running database, and what a copy of one holds. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { eventually, type Json, testCluster, text, withEngine } from "@vdb/cluster";
import { eq } from "@vdb/dct";
import { killPods, operatorPods } from "./pods.ts";
import { applyVdb, condition, deleteVdb, makePasswordSecret, setEnabled, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const hook = (stage: string) => ({ name: "mark", stage, script: `INSERT INTO marks VALUES ('${stage}')` });
const vdb = { name: "my-postgres-vdb", namespace, spec: { hooks: [hook("pre-snapshot"), hook("post-snapshot")] } };

async function ended(kind: string, name: string): Promise<Json> {
  return await eventually(`${kind} ${name} has ended`, 180, async () => {
    const found = await kubectl.get(kind, name, namespace);
    if (["Completed", "Error"].includes(text(found, "status", "phase"))) return found;
    throw new Error(text(found, "status"));
  });
}

const sample = (name: string): string => readFileSync(new URL(`../samples/${name}.yaml`, import.meta.url), "utf8");

describe("snapshots of a database", { timeout: 1_200_000 }, () => {
  before(async () => {
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    await sqlInPod(kubectl, vdb, "CREATE TABLE marks (stage text); CREATE TABLE ledger (n bigint)");
  });
  after(async () => {
    await kubectl.run(["delete", "vdbsnapshots,postgressnapshots,volumesnapshots", "--all", "-n", namespace, "--timeout=180s"]);
    await deleteVdb(kubectl, vdb);
  });

  test("the specification's VDBSnapshot is a VolumeSnapshot of its name, with the DCT snapshot's id; hooks run once each", async () => {
    await kubectl.apply(sample("vdbsnapshot"));
    const found = await ended("vdbsnapshot", "my-vdb-snapshot");
    equal(text(found, "status", "phase"), "Completed", text(found, "status"));
    deepEqual(
      [text(found, "status", "snapshot", "type"), text(found, "status", "snapshot", "name")],
      ["volume-snapshot", "my-vdb-snapshot"],
    );
    match(text(found, "status", "snapshot", "id"), /^\d+-APPDATA_SNAPSHOT-/u);
    equal(await sqlInPod(kubectl, vdb, "SELECT string_agg(stage, ' ' ORDER BY ctid) FROM marks"), "pre-snapshot post-snapshot");
    await kubectl.run(["delete", "vdbsnapshot", "my-vdb-snapshot", "-n", namespace, "--timeout=60s"]);
    equal(text(await kubectl.get("volumesnapshot", "my-vdb-snapshot", namespace), "status", "readyToUse"), "true");
  });

  test("the specification's PostgresSnapshot runs as written on 16, in one session, with its position, while rows are written", async () => {
    const writing = new AbortController();
    let acknowledged = 0;
    const writer = (async () => {
      while (!writing.signal.aborted) {
        await sqlInPod(kubectl, vdb, `INSERT INTO ledger VALUES (${acknowledged + 1})`);
        acknowledged += 1;
      }
    })();
    await eventually("some rows are stored", 60, async () => (acknowledged > 3 ? true : undefined));
    const earlier = acknowledged;
    // The sample has the names of 15 and newer, the specification those of 14 and older.
    const older = sample("postgressnapshot").replaceAll("pg_backup_start", "pg_start_backup");
    await kubectl.apply(older.replaceAll("pg_backup_stop", "pg_stop_backup"));
    const found = await ended("postgressnapshot", "my-postgres-snapshot");
    writing.abort();
    await writer;
    equal(text(found, "status", "phase"), "Completed", text(found, "status"));
    match(text(found, "status", "lsn", "begin"), /^[0-9A-F]+\/[0-9A-F]+$/u);
    equal(
      await sqlInPod(
        kubectl,
        vdb,
        `SELECT '${text(found, "status", "lsn", "begin")}'::pg_lsn < '${text(found, "status", "lsn", "end")}'::pg_lsn`,
      ),
      "t",
    );
    equal(condition(found, "Translated")?.status, "True");
    ok(acknowledged > earlier, "rows were written meanwhile");
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'delphix-run%'"), "0");
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "restored", namespace },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "de-fs-storage",
        resources: { requests: { storage: "1Gi" } },
        dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "my-postgres-snapshot" },
      },
    };
    await kubectl.apply(JSON.stringify(claim));
    await eventually("a volume from it is bound", 120, async () =>
      text(await kubectl.get("persistentvolumeclaim", "restored", namespace), "status", "phase") === "Bound" ? true : undefined,
    );
    await kubectl.run(["delete", "persistentvolumeclaim", "restored", "-n", namespace, "--timeout=120s"]);
  });

  test("the operator killed under a PostgresSnapshot, it is completed all the same", async () => {
    const name = "killed";
    const preSnapshot = { content: "SELECT pg_sleep(6)" };
    const action = {
      apiVersion: "actions.delphix.com/v1alpha1",
      kind: "PostgresSnapshot",
      metadata: { name, namespace },
      spec: { vdbRef: { name: vdb.name }, preSnapshot },
    };
    await kubectl.apply(JSON.stringify(action));
    await eventually("its session sleeps", 60, async () =>
      (await sqlInPod(kubectl, vdb, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(6)%'")) === "1"
        ? true
        : undefined,
    );
    await killPods(kubectl, operatorPods);
    const found = await ended("postgressnapshot", name);
    equal(text(found, "status", "phase"), "Completed", text(found, "status"));
    match(text(found, "status", "lsn", "begin"), /\//u);
  });

  test("a stopped database gets a cold one", async () => {
    await setEnabled(kubectl, vdb, false);
    await waitForPhase(kubectl, vdb, "Stopped");
    const action = {
      apiVersion: "actions.delphix.com/v1alpha1",
      kind: "PostgresSnapshot",
      metadata: { name: "cold", namespace },
      spec: { vdbRef: { name: vdb.name } },
    };
    await kubectl.apply(JSON.stringify(action));
    const found = await ended("postgressnapshot", "cold");
    equal(text(found, "status", "phase"), "Completed", text(found, "status"));
    equal(text(found, "status", "lsn"), "");
  });

  test("spec.snapshots: the newest stays, the others go, with their DCT snapshots", async () => {
    const patch = JSON.stringify({ spec: { snapshots: { keep: 1 } } });
    await kubectl.run(["patch", "postgresvdb", vdb.name, "-n", namespace, "-p", patch, "--type=merge"]);
    await eventually("one is left", 120, async () => {
      const left = (await kubectl.list("volumesnapshots", ["-n", namespace])).map((one) => text(one, "metadata", "name"));
      if (left.join() === "cold") return true;
      throw new Error(left.join());
    });
    const id = text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "delphixID");
    const left = await withEngine(kubectl, async (engine) => await engine.searchSnapshots(eq("dataset_id", id)));
    equal(left.length, 2, "with the one that the engine took when it made the VDB");
  });
});
