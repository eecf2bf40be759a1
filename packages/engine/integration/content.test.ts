/** A VDB gets other data, with real databases: what was there is back, what came is whole, and nobody's data is changed under him. */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DctClient, DctError, eq, type Snapshot, type Vdb } from "@vdb/dct";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  jobEnd,
  poolDir,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { nothingLost } from "./testing/killed-at.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder, unmount } from "./testing/scratch.ts";

type Made = Vdb & { readonly exported_data_directory: string };
type Started = Promise<{ readonly jobId: string }>;

const conflict = (words: RegExp) => (error: unknown) => {
  ok(error instanceof DctError && error.kind === "conflict", String(error));
  match(error.message, words);
  return true;
};

/** What DCT says to it. */
const answerTo = async (started: Started): Promise<string> => {
  try {
    await started;
  } catch (error) {
    return error instanceof DctError ? `${error.kind}: ${error.message}` : String(error);
  }
  return "accepted";
};

describe("content", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let client: DctClient;
  let snapshot: Snapshot;
  let original = "";

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    engine = stack.use(await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } }));
    ({ client } = engine);
    snapshot = await firstSnapshot(engine, "production");
    original = contentOf(source);
  });
  after(() => stack.disposeAsync());

  const done = async (started: Started): Promise<void> => await succeeded(client, (await started).jobId);
  const changedBy = async ({ exported_data_directory }: Made, statement: string): Promise<string> => {
    await using server = await startOnClone(scratch, exported_data_directory);
    server.sql(statement);
    return contentOf(server);
  };
  const contentIn = async ({ exported_data_directory }: Made, owner?: number): Promise<string> => {
    await using server = await startOnClone(scratch, exported_data_directory, owner);
    return contentOf(server);
  };
  const previousOf = async ({ id }: Vdb): Promise<string | undefined> => (await client.getVdb(id))?.previous_timeflow_id;
  const newestOf = async (id: string): Promise<Snapshot> => {
    const [newest] = await client.searchSnapshots(eq("dataset_id", id), { sort: "-timestamp", limit: 1 });
    ok(newest !== undefined);
    return newest;
  };

  test("refresh, undo, rollback, the stable path and the clones taken in between", async () => {
    const vdb = await provisioned(client, snapshot.id, "walk");
    const own = await changedBy(vdb, "DELETE FROM pgbench_accounts WHERE aid % 2 = 0");
    notEqual(own, original);
    await done(client.snapshotVdb(vdb.id));
    const kept = await newestOf(vdb.id);
    const clone = await provisioned(client, kept.id, "walk-clone");

    await done(client.refreshBySnapshot(vdb.id, {}));
    equal(await contentIn(vdb), original, "the same path has the parent's data");
    const later = await changedBy(vdb, "UPDATE pgbench_accounts SET abalance = 7");
    await done(client.undoRefresh(vdb.id));
    equal(await contentIn(vdb), own, "what was written before the refresh is back");
    const timeflow = (await client.searchTimeflows(eq("creation_type", "REFRESH"))).find((one) => one.dataset_id === vdb.id);
    await done(client.switchTimeflow(vdb.id, { timeflow_id: timeflow?.id ?? "" }));
    equal(await contentIn(vdb), later, "and what was written after it is not lost either");

    await done(client.rollbackBySnapshot(vdb.id, { snapshot_id: kept.id }));
    equal(await contentIn(vdb), own);
    equal(await contentIn(clone), own);
    const current = (await client.getVdb(vdb.id))?.current_timeflow_id;
    for (const { id } of await client.searchTimeflows(eq("dataset_id", vdb.id)))
      if (id !== current) await done(client.deleteTimeflow(id));
    equal(await contentIn(vdb), own, "its data is its own: other timeflows may go");
    await nothingLost(scratch, engine);
    await done(client.deleteVdb(vdb.id));
    equal(await contentIn(clone), own, "a clone outlives it");
    await nothingLost(scratch, engine);
  });

  test("a refreshed VDB keeps its owner, and its snapshots say which timeflow they are of", async () => {
    const owned = { appdata_source_params: { ownership_spec: "70:70" } };
    const vdb = await provisioned(client, snapshot.id, "owned", owned);
    await done(client.refreshBySnapshot(vdb.id, {}));
    equal(await contentIn(vdb, 70), original);
    await done(client.snapshotVdb(vdb.id));
    const { current_timeflow_id, previous_timeflow_id } = (await client.getVdb(vdb.id)) ?? {};
    const timeflows = (await client.searchSnapshots(eq("dataset_id", vdb.id), { sort: "timestamp" })).map(
      (one) => one.timeflow_id,
    );
    deepEqual(timeflows, [previous_timeflow_id, current_timeflow_id, current_timeflow_id]);
  });

  test("a VDB that runs: every change is refused and says why, its server goes on, and afterwards it is done", async () => {
    const vdb = await provisioned(client, snapshot.id, "mounted");
    await done(client.refreshBySnapshot(vdb.id, {}));
    const pod = join(scratch.path, "pod");
    mkdirSync(pod);
    execFileSync("mount", ["--bind", vdb.exported_data_directory, pod]);
    const inUse = conflict(/VDB mounted is in use: its data is mounted at \S+\/pod; stop the pod that uses it, then ask again/u);
    {
      await using server = await startOnClone(scratch, pod);
      const previous = { timeflow_id: (await previousOf(vdb)) ?? "" };
      await rejects(client.refreshBySnapshot(vdb.id, {}), inUse);
      await rejects(client.rollbackBySnapshot(vdb.id, {}), inUse);
      await rejects(client.undoRefresh(vdb.id), inUse);
      await rejects(client.switchTimeflow(vdb.id, previous), inUse);
      await rejects(client.deleteVdb(vdb.id), inUse);
      server.sql("UPDATE pgbench_accounts SET abalance = 8");
      await done(client.snapshotVdb(vdb.id));
    }
    await unmount(pod);
    await done(client.refreshBySnapshot(vdb.id, {}));
    equal(await contentIn(vdb), original);
    equal((await client.searchJobs(eq("target_id", vdb.id))).filter(({ type }) => type === "DB_REFRESH").length, 2);
    // A pod that has kept the data of before the refresh.
    execFileSync("mount", ["--bind", join(poolDir(scratch), "timeflows", (await previousOf(vdb)) ?? ""), pod]);
    await rejects(client.deleteVdb(vdb.id), inUse);
    await unmount(pod);
    await done(client.deleteVdb(vdb.id));
    await nothingLost(scratch, engine);
  });

  test("a disabled VDB that a node has still mounted: the new data is made, and takes the old one's place after the unmount", async () => {
    const vdb = await provisioned(client, snapshot.id, "stopping");
    const [pod, path] = [join(scratch.path, "stopping-pod"), join(poolDir(scratch), "vdbs", vdb.id)];
    mkdirSync(pod);
    execFileSync("mount", ["--bind", vdb.exported_data_directory, pod]);
    await done(client.disableVdb(vdb.id));
    const [old, made] = [readlinkSync(path), readdirSync(join(poolDir(scratch), "snapshots")).length];
    const { jobId } = await client.refreshBySnapshot(vdb.id, {});
    while (readdirSync(join(poolDir(scratch), "snapshots")).length === made) await sleep(10); // the job's last effect before the swap
    equal(readlinkSync(path), old);
    equal((await client.getJob(jobId))?.status, "STARTED");
    await unmount(pod);
    await succeeded(client, jobId);
    notEqual(readlinkSync(path), old);
    equal(await contentIn(vdb), original);
    await done(client.deleteVdb(vdb.id));
    await nothingLost(scratch, engine);
  });

  test("a change under a mount, should one get through, changes nothing for who has it", async () => {
    const vdb = await provisioned(client, snapshot.id, "slipped");
    const pod = join(scratch.path, "slipped-pod");
    mkdirSync(pod);
    execFileSync("mount", ["--bind", vdb.exported_data_directory, pod]);
    const server = await startOnClone(scratch, pod);
    // What the engine would do, behind its back.
    const path = join(poolDir(scratch), "vdbs", vdb.id);
    const timeflow = readlinkSync(path);
    execFileSync("cp", ["--archive", "--reflink=always", join(poolDir(scratch), "snapshots", snapshot.id), `${path}.other`]);
    execFileSync("ln", ["-s", `${vdb.id}.other`, `${path}.link`]);
    renameSync(`${path}.link`, path);
    server.sql("UPDATE pgbench_accounts SET abalance = 9; CHECKPOINT");
    equal(server.sql("SELECT count(*) FROM pgbench_accounts WHERE abalance = 9"), "100000");
    await server[Symbol.asyncDispose]();
    await unmount(pod);
    rmSync(path);
    execFileSync("ln", ["-s", timeflow, path]);
    rmSync(`${path}.other`, { recursive: true });
    await using again = await startOnClone(scratch, vdb.exported_data_directory);
    equal(again.sql("SELECT count(*) FROM pgbench_accounts WHERE abalance = 9"), "100000", "it went on with its own bytes");
  });

  test("two changes at a time: the second is refused by the name of the first's job", async () => {
    const vdb = await provisioned(client, snapshot.id, "twice");
    const answers = await Promise.allSettled([client.refreshBySnapshot(vdb.id, {}), client.refreshBySnapshot(vdb.id, {})]);
    const [accepted] = answers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const [refused] = answers.flatMap((one): unknown[] => (one.status === "rejected" ? [one.reason] : []));
    ok(accepted !== undefined);
    conflict(new RegExp(`VDB twice: job ${accepted.jobId} \\(DB_REFRESH\\) changes its data`, "u"))(refused);
    equal((await jobEnd(client, accepted.jobId)).kind, "succeeded");
    equal((await client.searchTimeflows(eq("dataset_id", vdb.id))).length, 2);
  });

  test("what another dataset holds is refused, with what there is to choose from", async () => {
    const [first, second] = [
      await provisioned(client, snapshot.id, "first-family"),
      await provisioned(client, snapshot.id, "second-family"),
    ];
    const foreign = (await newestOf(second.id)).id;
    match(
      await answerTo(client.refreshBySnapshot(first.id, { snapshot_id: foreign })),
      /refused: .*belongs to VDB second-family; VDB first-family is refreshed from dSource production or VDB first-family/u,
    );
    match(
      await answerTo(client.rollbackBySnapshot(first.id, { snapshot_id: snapshot.id })),
      /belongs to dSource production; VDB first-family is rolled back to snapshots of VDB first-family/u,
    );
    match(await answerTo(client.refreshBySnapshot(first.id, { snapshot_id: "null" })), /snapshot_id is the word "null"/u);
    match(
      await answerTo(client.refreshByTimestamp(first.id, { timestamp: "2001-01-01T00:00:00Z" })),
      new RegExp(
        `conflict: .*no data of dSource production as of 2001-01-01T00:00:00Z: its oldest snapshot is ${snapshot.id}`,
        "u",
      ),
    );
    const { bookmark, jobId } = await client.createBookmark({ name: "of second", vdb_ids: [second.id] });
    await succeeded(client, jobId);
    match(
      await answerTo(client.refreshFromBookmark(first.id, { bookmark_id: bookmark.id })),
      /bookmark of second covers VDB second-family; VDB first-family is refreshed from/u,
    );
    match(
      await answerTo(client.deleteSnapshot((await client.getBookmark(bookmark.id))?.vdbs?.[0]?.snapshot_id ?? "")),
      /conflict: .*cannot be deleted: the bookmark of second \(\S+\) names it; delete the bookmark first/u,
    );
    await done(client.deleteVdb(second.id));
    equal(await client.getBookmark(bookmark.id), undefined, "a bookmark ends with its last VDB");
    await nothingLost(scratch, engine);
  });
});
