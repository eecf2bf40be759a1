/** The engine is killed at each failpoint of the jobs that change a VDB's data: it is old or new, and each job happens once. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type DctClient, eq, type Snapshot, type Vdb } from "@vdb/dct";
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
import { killedAt, nothingLost, seed, some } from "./testing/killed-at.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder, unmount } from "./testing/scratch.ts";

const jobsOf = async ({ client }: EngineProcess, { id }: Vdb, type: string): Promise<number> =>
  (await client.searchJobs(eq("target_id", id))).filter((job) => job.type === type).length;

describe("killed while a VDB gets other data", { timeout: 900_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let snapshot: Snapshot;
  let original = "";

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    original = contentOf(source);
    await using engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    snapshot = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  const contentIn = async ({ id }: Vdb): Promise<string> => {
    await using server = await startOnClone(scratch, join(poolDir(scratch), "vdbs", id));
    return contentOf(server);
  };
  /** A VDB whose data is no longer its parent's, and a snapshot of it. */
  async function changedVdb(
    client: DctClient,
    name: string,
  ): Promise<{ readonly vdb: Vdb; readonly own: Snapshot; readonly was: string }> {
    const vdb = await provisioned(client, snapshot.id, name);
    let was: string;
    {
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      server.sql("DELETE FROM pgbench_accounts WHERE aid % 3 = 0");
      was = contentOf(server);
    }
    await succeeded(client, (await client.snapshotVdb(vdb.id)).jobId);
    const [own] = await client.searchSnapshots(eq("dataset_id", vdb.id), { sort: "-timestamp", limit: 1 });
    ok(own !== undefined);
    return { vdb, own, was };
  }
  const pathStands = ({ id }: Vdb): void =>
    ok(existsSync(join(poolDir(scratch), "vdbs", id, "data/PG_VERSION")), "the path leads to data");

  for (const failpoint of some(["started", "cloned", "snapshotted", "swapped", "acted", "recorded"])) {
    test(`DB_REFRESH:${failpoint} (seed ${seed}): the parent's data, and the old is what an undo brings back`, async () => {
      await killedAt(
        scratch,
        { holdAt: `DB_REFRESH:${failpoint}` },
        async ({ client }) => {
          const made = await changedVdb(client, `refresh-${failpoint}`);
          return { ...made, ...(await client.refreshBySnapshot(made.vdb.id, {})) };
        },
        async (engine, { vdb, was, jobId }) => {
          const { client } = engine;
          equal((await jobEnd(client, jobId)).kind, "succeeded");
          equal(await contentIn(vdb), original);
          equal(await jobsOf(engine, vdb, "DB_REFRESH"), 1);
          equal((await client.searchTimeflows(eq("dataset_id", vdb.id))).length, 2);
          await nothingLost(scratch, engine);
          await succeeded(client, (await client.undoRefresh(vdb.id)).jobId);
          equal(await contentIn(vdb), was);
        },
      );
    });
  }

  for (const failpoint of some(["started", "cloned", "snapshotted", "swapped", "acted", "recorded"])) {
    test(`DB_ROLLBACK:${failpoint} (seed ${seed}): the data of the snapshot`, async () => {
      await killedAt(
        scratch,
        { holdAt: `DB_ROLLBACK:${failpoint}` },
        async ({ client }) => {
          const made = await changedVdb(client, `rollback-${failpoint}`);
          await succeeded(client, (await client.refreshBySnapshot(made.vdb.id, {})).jobId);
          return { ...made, ...(await client.rollbackBySnapshot(made.vdb.id, { snapshot_id: made.own.id })) };
        },
        async (engine, { vdb, was, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal(await contentIn(vdb), was);
          equal((await engine.client.searchTimeflows(eq("dataset_id", vdb.id))).length, 3);
          await nothingLost(scratch, engine);
        },
      );
    });
  }

  for (const type of ["DB_UNDO_REFRESH", "DB_SWITCH_TIMEFLOW"] as const)
    for (const failpoint of some(["started", "swapped", "acted", "recorded"], 1)) {
      test(`${type}:${failpoint} (seed ${seed}): the data of the other timeflow, once`, async () => {
        await killedAt(
          scratch,
          { holdAt: `${type}:${failpoint}` },
          async ({ client }) => {
            const made = await changedVdb(client, `${type}-${failpoint}`);
            await succeeded(client, (await client.refreshBySnapshot(made.vdb.id, {})).jobId);
            const timeflow_id = made.vdb.current_timeflow_id ?? "";
            const change =
              type === "DB_UNDO_REFRESH" ? client.undoRefresh(made.vdb.id) : client.switchTimeflow(made.vdb.id, { timeflow_id });
            return { ...made, ...(await change) };
          },
          async (engine, { vdb, was, jobId }) => {
            equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
            const now = await engine.client.getVdb(vdb.id);
            deepEqual(
              [now?.current_timeflow_id === vdb.current_timeflow_id, now?.previous_timeflow_id === undefined],
              [true, type === "DB_UNDO_REFRESH"],
            );
            equal(await contentIn(vdb), was);
            await nothingLost(scratch, engine);
          },
        );
      });
    }

  for (const failpoint of some(["started", "acted", "recorded"], 1)) {
    test(`TIMEFLOW_DELETE:${failpoint} (seed ${seed}): it is gone, the VDB is not`, async () => {
      await killedAt(
        scratch,
        { holdAt: `TIMEFLOW_DELETE:${failpoint}` },
        async ({ client }) => {
          const { vdb } = await changedVdb(client, `timeflow-${failpoint}`);
          await succeeded(client, (await client.refreshBySnapshot(vdb.id, {})).jobId);
          return { vdb, ...(await client.deleteTimeflow(vdb.current_timeflow_id ?? "")) };
        },
        async (engine, { vdb, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal((await engine.client.getVdb(vdb.id))?.previous_timeflow_id, undefined);
          equal(await contentIn(vdb), original);
          await nothingLost(scratch, engine);
        },
      );
    });
  }

  for (const failpoint of some(["started", "snapshotted", "acted", "recorded"], 1)) {
    test(`BOOKMARK_CREATE:${failpoint} (seed ${seed}): one bookmark, with one snapshot`, async () => {
      await killedAt(
        scratch,
        { holdAt: `BOOKMARK_CREATE:${failpoint}` },
        async ({ client }) => {
          const made = await changedVdb(client, `bookmark-${failpoint}`);
          return { ...made, ...(await client.createBookmark({ name: failpoint, vdb_ids: [made.vdb.id] })) };
        },
        async (engine, { vdb, was, bookmark, jobId }) => {
          const { client } = engine;
          equal((await jobEnd(client, jobId)).kind, "succeeded");
          equal((await client.getBookmark(bookmark.id))?.bookmark_status, "ACTIVE");
          equal((await client.searchSnapshots(eq("dataset_id", vdb.id))).length, 3);
          await nothingLost(scratch, engine);
          await succeeded(client, (await client.refreshBySnapshot(vdb.id, {})).jobId);
          await succeeded(client, (await client.rollbackFromBookmark(vdb.id, { bookmark_id: bookmark.id })).jobId);
          equal(await contentIn(vdb), was);
        },
      );
    });
  }

  for (const failpoint of some(["started", "acted", "recorded"], 1)) {
    test(`BOOKMARK_DELETE:${failpoint} (seed ${seed}): its name is gone, its snapshot is not`, async () => {
      await killedAt(
        scratch,
        { holdAt: `BOOKMARK_DELETE:${failpoint}` },
        async ({ client }) => {
          const { own } = await changedVdb(client, `unmark-${failpoint}`);
          const { bookmark, jobId } = await client.createBookmark({ name: failpoint, snapshot_ids: [own.id] });
          await succeeded(client, jobId);
          return { own, bookmark, ...(await client.deleteBookmark(bookmark.id)) };
        },
        async (engine, { own, bookmark, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal(await engine.client.getBookmark(bookmark.id), undefined);
          equal((await engine.client.getSnapshot(own.id))?.id, own.id);
          await nothingLost(scratch, engine);
        },
      );
    });
  }

  test("a pod that comes in between: the job fails, killed while it undoes it fails all the same, and the old data is there", async () => {
    await using first = await startEngineProcess(scratch, { holdAt: "DB_REFRESH:snapshotted" });
    const { vdb, was } = await changedVdb(first.client, "in-between");
    const { jobId } = await first.client.refreshBySnapshot(vdb.id, {});
    await first.logged('"msg":"stopped at a failpoint"');
    await first.kill();
    pathStands(vdb);
    const pod = join(scratch.path, "in-between-pod");
    mkdirSync(pod);
    execFileSync("mount", ["--bind", join(poolDir(scratch), "vdbs", vdb.id), pod]);
    await using second = await startEngineProcess(scratch, { holdAt: "DB_REFRESH:failed" });
    await second.logged('"msg":"stopped at a failpoint"');
    await second.kill();
    await unmount(pod);
    await using third = await startEngineProcess(scratch);
    const end = await jobEnd(third.client, jobId);
    ok(end.kind === "failed" && end.message.includes("VDB in-between is in use"), JSON.stringify(end));
    equal(await contentIn(vdb), was);
    const now = await third.client.getVdb(vdb.id);
    deepEqual([now?.current_timeflow_id, now?.previous_timeflow_id], [vdb.current_timeflow_id, undefined]);
    equal((await third.client.searchTimeflows(eq("dataset_id", vdb.id))).length, 1);
    await nothingLost(scratch, third);
    await succeeded(third.client, (await third.client.refreshBySnapshot(vdb.id, {})).jobId);
    equal(await contentIn(vdb), original, "the next one works");
  });
});
