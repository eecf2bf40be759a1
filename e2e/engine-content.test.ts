/** What scripts do with a VDB of the driver by DCT's API alone: refresh and undo, refused while its pod runs. */
import { equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { testCluster, text, withEngine } from "@vdb/cluster";
import { DctError, waitForJob } from "@vdb/dct";
import { applyVdb, deleteVdb, makePasswordSecret, setEnabled, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "scripted", namespace: "pg-operator" };
const { signal } = new AbortController();
type Operation = "refreshBySnapshot" | "undoRefresh";

before(async () => void (await makePasswordSecret(kubectl, vdb)));
after(async () => await deleteVdb(kubectl, vdb));

/** Undefined: it is done; else the words with which it is refused. */
const ask = async (operation: Operation, id: string): Promise<string | undefined> =>
  await withEngine(kubectl, async (engine) => {
    try {
      const { jobId } = await (operation === "undoRefresh" ? engine.undoRefresh(id) : engine.refreshBySnapshot(id, {}));
      const end = await waitForJob(engine, jobId, { signal, deadlineSeconds: 60 });
      equal(end.kind, "succeeded", "message" in end ? end.message : jobId);
      return undefined;
    } catch (error) {
      ok(error instanceof DctError && error.kind === "conflict", String(error));
      return error.message;
    }
  });

test("a running VDB is refused, a stopped one is refreshed, and an undo brings its rows back", { timeout: 900_000 }, async () => {
  await applyVdb(kubectl, vdb);
  const id = text(await waitForPhase(kubectl, vdb, "Ready"), "status", "delphixID");
  await sqlInPod(kubectl, vdb, "CREATE TABLE own (n int); INSERT INTO own VALUES (7); CHECKPOINT;");
  match((await ask("refreshBySnapshot", id)) ?? "accepted", /is in use: its data is mounted at \/\S+\/pods\/\S+; stop the pod/u);
  equal((await sqlInPod(kubectl, vdb, "SELECT n FROM own;")).trim(), "7");
  const own = async (): Promise<string> => (await sqlInPod(kubectl, vdb, "SELECT to_regclass('own') IS NOT NULL;")).trim();
  for (const [operation, isThere] of [
    ["refreshBySnapshot", "f"],
    ["undoRefresh", "t"],
  ] as const) {
    await setEnabled(kubectl, vdb, false);
    await waitForPhase(kubectl, vdb, "Stopped");
    equal(await ask(operation, id), undefined);
    await setEnabled(kubectl, vdb, true);
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await own(), isThere, operation);
  }
});
