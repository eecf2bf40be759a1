/**
 * The specification's refreshes and rewinds, as docs/differences.md corrects them: each brings the data that it names, and every phase
 * of a refresh is seen, in order. Its snapshots and tasks are in snapshot-actions.test.ts and tasks.test.ts.
 */
import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  eventually,
  operatorNamespace as namespace,
  parseJson,
  testCluster,
  text,
  waitForSourceSnapshot,
  withEngine,
} from "@vdb/cluster";
import { eq } from "@vdb/dct";
import { parse } from "yaml";
import { applyVdb, beginAction, deleteVdb, endOfAction, makePasswordSecret, runAction, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "my-postgres-vdb", namespace };
/** What a manifest says that is true on another engine, or at another time. */
const stands = { id: "1-APPDATA_SNAPSHOT-1029", moment: "2026-01-31T12:00:00Z" };
const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,postgresrefreshes,postgresrewinds,volumesnapshots";
const known = { id: "", source: { id: "", timestamp: "" } };

const write = async (word: string): Promise<string> => await sqlInPod(kubectl, vdb, `UPDATE state SET word = '${word}'`);
const word = async (): Promise<string> => await sqlInPod(kubectl, vdb, "SELECT word FROM state");
/** Nobody has written to the data of the source. */
const isSources = async (): Promise<string> => await sqlInPod(kubectl, vdb, "SELECT to_regclass('state') IS NULL");

/** Applies a sample as it stands, but for an id or a moment, and waits until the database is open again. */
async function carriedOut(name: string, replaced: Partial<typeof stands> = {}): Promise<void> {
  const { id = stands.id, moment = stands.moment } = replaced;
  const sample = readFileSync(new URL(`../samples/${name}.yaml`, import.meta.url), "utf8");
  const manifest = sample.replace(stands.id, id).replace(stands.moment, moment);
  await kubectl.apply(manifest);
  const object = parseJson(JSON.stringify(parse(manifest)));
  const action = { kind: text(object, "kind"), name: text(object, "metadata", "name"), spec: {} };
  const found = await endOfAction(kubectl, vdb, action);
  equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  console.log(`${name}: ${text(found, "status", "duration")}`);
  await waitForPhase(kubectl, vdb, "Ready");
}

describe("the specification's refreshes and rewinds", { timeout: 1_200_000 }, () => {
  before(async () => {
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    await sqlInPod(kubectl, vdb, "CREATE TABLE state AS SELECT 'kept' AS word; CHECKPOINT");
    const spec = { bookmarkName: "my-bookmark-name" };
    const found = await runAction(kubectl, vdb, { kind: "VDBSnapshot", name: "my-volume-snapshot-name", spec });
    known.id = text(found, "status", "snapshot", "id");
    const { id, timestamp = "" } = await waitForSourceSnapshot(kubectl, 60);
    known.source = { id, timestamp };
  });
  after(async () => {
    await withEngine(kubectl, async (engine) => {
      for (const { id } of await engine.searchBookmarks(eq("name", "my-bookmark-name"))) await engine.deleteBookmark(id);
    });
    await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
    await deleteVdb(kubectl, vdb);
  });

  test("a refresh from a bookmark", async () => {
    await write("since");
    await carriedOut("postgresrefresh-dct-bookmark");
    equal(await word(), "kept");
  });

  test("a refresh from a VolumeSnapshot", async () => {
    await write("since");
    await carriedOut("postgresrefresh-volume-snapshot");
    equal(await word(), "kept");
  });

  test("a rewind to a DCT snapshot, and one to the previous data", async () => {
    await write("precious");
    await carriedOut("vdbrewind", { id: known.id });
    equal(await word(), "kept");
    await carriedOut("postgresrewind");
    equal(await word(), "precious");
  });

  test("a rewind to a VolumeSnapshot", async () => {
    await carriedOut("postgresrewind-volume-snapshot");
    equal(await word(), "kept");
  });

  test("a refresh from a DCT snapshot of the source", async () => {
    await carriedOut("postgresrefresh-dct-snapshot", { id: known.source.id });
    equal(await isSources(), "t");
  });

  test("a refresh to a moment", async () => {
    await sqlInPod(kubectl, vdb, "CREATE TABLE state AS SELECT 'mine' AS word");
    await carriedOut("vdbrefresh", { moment: known.source.timestamp });
    equal(await isSources(), "t");
  });

  test("a refresh from the latest goes through its phases, one that fails ends in the ninth", async () => {
    await sqlInPod(kubectl, vdb, "CREATE TABLE state AS SELECT 'mine' AS word");
    const seen: string[] = [];
    const watching = new AbortController();
    const phase = "jsonpath={.metadata.name} {.status.phase}{'\\n'}";
    const watch = kubectl.try(["get", "postgresrefresh", "-n", namespace, "-w", "-o", phase], {
      signal: watching.signal,
      onLine: (line) => void seen.push(line),
    });
    await eventually("the watch has told of the refreshes before", 30, async () => (seen.length > 0 ? true : undefined));
    try {
      await carriedOut("postgresrefresh-latest");
      const snapshotRef = { type: "dct-snapshot", name: "no-such" };
      const failing = { kind: "PostgresRefresh", name: "failing", spec: { snapshotRef } };
      await beginAction(kubectl, vdb, failing);
      await endOfAction(kubectl, vdb, failing);
      await eventually("the watch has seen its end", 30, async () => (seen.includes("failing Error") ? true : undefined));
    } finally {
      watching.abort();
      await watch;
    }
    equal(await isSources(), "t");
    const phases = (name: string): readonly string[] =>
      seen
        .filter((line) => line.startsWith(`${name} `))
        .map((line) => line.slice(name.length + 1))
        .filter((one, at, all) => one !== all[at - 1]);
    const working = ["PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh", "Finalizing"];
    deepEqual(phases("my-vdb-refresh"), ["Pending", ...working, "Completed"]);
    deepEqual(phases("failing"), ["Pending", "PreRefresh", "Error"]);
  });
});
