/** The specification's refreshes and rewinds of a database: what it holds afterwards, and that a failure brings the old data back. */
import { equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Json, testCluster, text } from "@vdb/cluster";
import { applyVdb, condition, deleteVdb, makePasswordSecret, runAction, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const stages = ["post-create", "pre-refresh", "post-refresh", "pre-rewind", "post-rewind"] as const;
const mark = (stage: string): string => `CREATE TABLE IF NOT EXISTS marks (stage text); INSERT INTO marks VALUES ('${stage}');`;
const vdb = {
  name: "my-postgres-vdb",
  namespace,
  spec: { hooks: stages.map((stage) => ({ name: "mark", stage, script: mark(stage) })) },
};

const act = async (kind: string, name: string, spec: object): Promise<Json> =>
  await runAction(kubectl, vdb, { kind, name, spec });

async function completed(kind: string, name: string, spec: object): Promise<Json> {
  const found = await act(kind, name, spec);
  equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  console.log(`${kind} ${name}: ${text(found, "status", "duration")}`);
  await waitForPhase(kubectl, vdb, "Ready");
  return found;
}

const marks = async (): Promise<string> => await sqlInPod(kubectl, vdb, "SELECT string_agg(stage, ' ' ORDER BY ctid) FROM marks");

describe("refresh and rewind", { timeout: 1_800_000 }, () => {
  before(async () => {
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
  });
  after(async () => {
    const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,postgresrefreshes,postgresrewinds,volumesnapshots";
    await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
    await deleteVdb(kubectl, vdb);
  });

  test("a rewind to a VDBSnapshot: what was written since is gone, what was there is back", async () => {
    await sqlInPod(kubectl, vdb, "CREATE TABLE kept AS SELECT 1 AS n");
    await completed("VDBSnapshot", "good", {});
    await sqlInPod(kubectl, vdb, "DELETE FROM pgbench_accounts; DROP TABLE kept");
    const found = await completed("VDBRewind", "undo-delete", { snapshotRef: { type: "volume-snapshot", name: "good" } });
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) > 0 FROM pgbench_accounts"), "t");
    equal(await sqlInPod(kubectl, vdb, "SELECT n FROM kept"), "1");
    equal(await marks(), "post-create post-rewind");
    equal(text(found, "status", "snapshot", "name"), "good");
  });

  test("to the previous data: the rewind is undone", async () => {
    await completed("VDBRewind", "back", { snapshotRef: { type: "previous" } });
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) FROM pgbench_accounts"), "0");
  });

  test("the latest own snapshot, when none is named", async () => {
    await completed("PostgresRewind", "latest", { postRewind: { content: "CREATE TABLE by_action AS SELECT 1" } });
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) > 0 FROM pgbench_accounts"), "t");
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) FROM by_action"), "1");
  });

  test("a PostgresRefresh from the latest: the source's data, the hooks once each", async () => {
    const spec = { preRefresh: { content: "SELECT 1" }, postRefresh: { content: "CREATE TABLE by_action AS SELECT 2" } };
    await completed("PostgresRefresh", "fresh", spec);
    equal(await sqlInPod(kubectl, vdb, "SELECT to_regclass('kept') IS NULL"), "t");
    equal(await marks(), "post-refresh");
  });

  test("a script that fails after the change brings the old data back, open as it was", async () => {
    await sqlInPod(kubectl, vdb, "CREATE TABLE precious AS SELECT 7 AS n");
    const found = await act("PostgresRefresh", "failing", { postRefresh: { content: "SELECT 1/0" } });
    equal(text(found, "status", "phase"), "Error");
    equal(condition(found, "RolledBack")?.reason, "RolledBack", text(found, "status"));
    match(text(found, "status", "lastError"), /22012: division by zero/u);
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await sqlInPod(kubectl, vdb, "SELECT n FROM precious"), "7");
    equal(await marks(), "post-refresh pre-refresh");
  });

  test("a snapshot that does not exist costs no downtime, and the choices are named", async () => {
    const found = await act("VDBRefresh", "nowhere", { snapshotRef: { type: "dct-snapshot", name: "no-such" } });
    equal(condition(found, "Succeeded")?.reason, "SnapshotNotFound");
    match(text(found, "status", "lastError"), /the newest: \S+APPDATA_SNAPSHOT/u);
    equal(condition(found, "RolledBack")?.reason, "NothingChanged");
    ok((await sqlInPod(kubectl, vdb, "SELECT n FROM precious")) === "7");
  });

  test("deleted in the middle, it is taken back", async () => {
    const preRefresh = { content: "SELECT 1" };
    const postRefresh = { content: "SELECT pg_sleep(600)", timeoutSeconds: 600 };
    const metadata = { name: "cancelled", namespace };
    const spec = { vdbRef: { name: vdb.name }, preRefresh, postRefresh };
    await kubectl.apply(JSON.stringify({ apiVersion: "actions.delphix.com/v1alpha1", kind: "PostgresRefresh", metadata, spec }));
    await eventually("its script runs", 120, async () =>
      text(await kubectl.get("postgresrefresh", "cancelled", namespace), "status", "phase") === "PostRefresh" ? true : undefined,
    );
    await kubectl.run(["delete", "postgresrefresh", "cancelled", "-n", namespace, "--timeout=180s"]);
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await sqlInPod(kubectl, vdb, "SELECT n FROM precious"), "7");
  });
});
