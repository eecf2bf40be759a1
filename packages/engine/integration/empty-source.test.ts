/** A dSource that is linked to nothing: empty volumes, and their snapshots, copies and refreshes, without a PostgreSQL anywhere. */
import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eq } from "@vdb/dct";
import {
  type EngineProcess,
  firstSnapshot,
  inPool,
  jobEnd,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

describe("an empty dSource", { timeout: 120_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let engine: EngineProcess;
  let vdb: Awaited<ReturnType<typeof provisioned>>;

  before(async () => {
    scratch = stack.use(scratchFolder());
    engine = stack.use(await startEngineProcess(scratch, { config: { dsources: [{ name: "empty", empty: true }] } }));
    const owner = { appdata_source_params: { ownership_spec: "1000:1000" } };
    vdb = await provisioned(engine.client, (await firstSnapshot(engine, "empty")).id, "volume", owner);
  });
  after(() => stack.disposeAsync());

  const folderOf = async (id: string): Promise<string> => (await engine.client.getVdb(id))?.exported_data_directory ?? "";
  const snapshots = async () => await engine.client.searchSnapshots(eq("dataset_id", vdb.id), { sort: "-timestamp" });

  test("its VDB is an empty folder of the owner that was asked for, and of no version", async () => {
    const folder = vdb.exported_data_directory;
    deepEqual(readdirSync(folder), []);
    const { uid, gid, mode } = statSync(folder);
    deepEqual([uid, gid, mode.toString(8)], [1000, 1000, "40700"]);
    equal(vdb.database_version, undefined);
  });

  test("what its workload writes is in a snapshot and in a copy, whatever it looks like", async () => {
    const folder = vdb.exported_data_directory;
    writeFileSync(join(folder, "letter"), "kept");
    await succeeded(engine.client, (await engine.client.snapshotVdb(vdb.id)).jobId);
    writeFileSync(join(folder, "data"), "a file where a database has its folder");
    await succeeded(engine.client, (await engine.client.snapshotVdb(vdb.id)).jobId);
    const [asFile, first] = await snapshots();
    deepEqual([asFile?.consistency, asFile?.location, asFile?.version], ["CRASH_CONSISTENT", undefined, undefined]);
    const copy = await provisioned(engine.client, first?.id ?? "", "copy");
    deepEqual(readdirSync(copy.exported_data_directory), ["letter"]);
    const { vdbId, jobId } = await engine.client.provisionBySnapshot({ source_data_id: vdb.id, name: "copy-as-of-now" });
    await succeeded(engine.client, jobId);
    equal(readFileSync(join(await folderOf(vdbId), "data"), "utf8"), "a file where a database has its folder");
  });

  test("a data folder that is half made does not stop a snapshot", async () => {
    const copy = await provisioned(engine.client, (await firstSnapshot(engine, "empty")).id, "half-made");
    mkdirSync(join(copy.exported_data_directory, "data"));
    writeFileSync(join(copy.exported_data_directory, "data/PG_VERSION"), "16\n");
    await succeeded(engine.client, (await engine.client.snapshotVdb(copy.id)).jobId);
  });

  test("a refresh empties it, and an undo brings everything back", async () => {
    await succeeded(engine.client, (await engine.client.refreshBySnapshot(vdb.id, {})).jobId);
    deepEqual(readdirSync(await folderOf(vdb.id)), []);
    await succeeded(engine.client, (await engine.client.undoRefresh(vdb.id)).jobId);
    deepEqual(readdirSync(await folderOf(vdb.id)), ["data", "letter"]);
  });

  test("another snapshot of it is as empty as the first; deleted, nothing of them is left", async () => {
    const [source] = await engine.client.searchDSources(eq("name", "empty"));
    const { jobId } = await engine.client.snapshotDSource(source?.id ?? "");
    equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
    for (const { id } of await engine.client.searchVdbs())
      await succeeded(engine.client, (await engine.client.deleteVdb(id)).jobId);
    const { vdbs, timeflows, work } = inPool(scratch);
    deepEqual([vdbs, timeflows, work], [[], [], []]);
  });
});
