/** The engine is killed at each failpoint of the jobs that change a VDB's data: it is old or new, and each job happens once. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type DctClient, eq, type Snapshot, type Vdb } from "@vdb/dct";
import { sampled, testSeed } from "kube-runtime/testing";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  jobEnd,
  poolDir,
  provisioned,
  smallPool,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { killedAt, nothingLost } from "./testing/killed-at.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder, unmount } from "./testing/scratch.ts";

const jobsOf = async ({ client }: EngineProcess, { id }: Vdb, type: string): Promise<number> =>
  (await client.searchJobs(eq("target_id", id))).filter((job) => job.type === type).length;

/** What the API says of a VDB's data. */
const recorded = async (client: DctClient, { id }: Vdb): Promise<readonly unknown[]> => {
  const now = await client.getVdb(id);
  const timeflows = await client.searchTimeflows(eq("dataset_id", id), { sort: "id" });
  return [now?.current_timeflow_id, now?.previous_timeflow_id, timeflows.map((one) => one.id)];
};

const jobTypes = [
  "DB_REFRESH",
  "DB_ROLLBACK",
  "DB_UNDO_REFRESH",
  "DB_SWITCH_TIMEFLOW",
  "TIMEFLOW_DELETE",
  "BOOKMARK_CREATE",
  "BOOKMARK_DELETE",
] as const;
const chosenTypes = sampled("changes", jobTypes, 4);
/** One failpoint of each of some job types, unless all run. */
const pointsOf = (type: (typeof jobTypes)[number], failpoints: readonly string[]): readonly string[] =>
  chosenTypes.includes(type) ? sampled(type, failpoints, 1) : [];

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
    // In the full tier its VDBs do not fit into the small pool of the other files.
    const config = { pool: { ...smallPool, size: "4Gi" }, dsources: [declared("production", source.port)] };
    await using engine = await startEngineProcess(scratch, { config });
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

  for (const failpoint of pointsOf("DB_REFRESH", ["started", "cloned", "snapshotted", "swapped", "acted", "recorded"])) {
    test(`DB_REFRESH:${failpoint} (seed ${testSeed}): the parent's data, and the old is what an undo brings back`, async () => {
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

  for (const failpoint of pointsOf("DB_ROLLBACK", ["started", "cloned", "snapshotted", "swapped", "acted", "recorded"])) {
    test(`DB_ROLLBACK:${failpoint} (seed ${testSeed}): the data of the snapshot`, async () => {
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
    for (const failpoint of pointsOf(type, ["started", "swapped", "acted", "recorded"])) {
      test(`${type}:${failpoint} (seed ${testSeed}): the data of the other timeflow, once`, async () => {
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

  for (const failpoint of pointsOf("TIMEFLOW_DELETE", ["started", "acted", "recorded"])) {
    test(`TIMEFLOW_DELETE:${failpoint} (seed ${testSeed}): it is gone, the VDB is not`, async () => {
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

  for (const failpoint of pointsOf("BOOKMARK_CREATE", ["started", "snapshotted", "acted", "recorded"])) {
    test(`BOOKMARK_CREATE:${failpoint} (seed ${testSeed}): one bookmark, with one snapshot`, async () => {
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

  for (const failpoint of pointsOf("BOOKMARK_DELETE", ["started", "acted", "recorded"])) {
    test(`BOOKMARK_DELETE:${failpoint} (seed ${testSeed}): its name is gone, its snapshot is not`, async () => {
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

  const ownedBy = { appdata_source_params: { ownership_spec: "70:70" } };
  for (const failpoint of pointsOf("DB_REFRESH", ["drafted", "owned"])) {
    test(`DB_REFRESH:${failpoint} (seed ${testSeed}): the parent's data, of the VDB's owner, and no draft of it`, async () => {
      await killedAt(
        scratch,
        { holdAt: `DB_REFRESH:${failpoint}` },
        async ({ client }) => {
          const vdb = await provisioned(client, snapshot.id, `owned-${failpoint}`, ownedBy);
          return { vdb, ...(await client.refreshBySnapshot(vdb.id, {})) };
        },
        async (engine, { vdb, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          await using server = await startOnClone(scratch, vdb.exported_data_directory, 70);
          equal(contentOf(server), original);
          await nothingLost(scratch, engine);
        },
      );
    });
  }

  const others = ["DB_ROLLBACK", "DB_UNDO_REFRESH", "DB_SWITCH_TIMEFLOW"] as const;
  type Change = "DB_REFRESH" | (typeof others)[number];
  const changes: readonly Change[] = ["DB_REFRESH", ...others];

  const lastBeforeSwap = {
    DB_REFRESH: "snapshotted",
    DB_ROLLBACK: "snapshotted",
    DB_UNDO_REFRESH: "started",
    DB_SWITCH_TIMEFLOW: "started",
  } as const;

  interface Ready {
    readonly vdb: Vdb;
    /** Its data before the change, and after it. */
    readonly old: string;
    readonly other: string;
    readonly change: (client: DctClient) => Promise<{ readonly jobId: string }>;
  }
  /** A VDB to which this can be done, and what it comes to. */
  async function readyFor(client: DctClient, type: Change, name: string): Promise<Ready> {
    const { vdb, own, was } = await changedVdb(client, name);
    const { id, current_timeflow_id: timeflow_id = "" } = vdb;
    const change = {
      DB_REFRESH: (by: DctClient) => by.refreshBySnapshot(id, {}),
      DB_ROLLBACK: (by: DctClient) => by.rollbackBySnapshot(id, { snapshot_id: own.id }),
      DB_UNDO_REFRESH: (by: DctClient) => by.undoRefresh(id),
      DB_SWITCH_TIMEFLOW: (by: DctClient) => by.switchTimeflow(id, { timeflow_id }),
    }[type];
    if (type === "DB_REFRESH") return { vdb, old: was, other: original, change };
    await succeeded(client, (await client.refreshBySnapshot(id, {})).jobId);
    const now = await client.getVdb(id);
    ok(now !== undefined);
    return { vdb: now, old: original, other: was, change };
  }
  const placeOf = ({ id }: Vdb): string => join(poolDir(scratch), "vdbs", id);
  /** As the kubelet mounts a folder of the pool into a pod. */
  const mountedInPod = (name: string, folder: string): string => {
    const pod = join(scratch.path, `${name}-pod`);
    mkdirSync(pod);
    execFileSync("mount", ["--bind", folder, pod]);
    return pod;
  };
  /** Changes a VDB's data and kills the engine at the failpoint. */
  async function killedChanging(type: Change, failpoint: string, name: string) {
    await using engine = await startEngineProcess(scratch, { holdAt: `${type}:${failpoint}` });
    const made = await readyFor(engine.client, type, name);
    const recordedBefore = await recorded(engine.client, made.vdb);
    const { jobId } = await made.change(engine.client);
    await engine.logged('"msg":"stopped at a failpoint"');
    await engine.kill();
    pathStands(made.vdb);
    return { ...made, recordedBefore, jobId };
  }
  /** The job has failed because of a mount, its VDB is what it was, and the next one works. */
  async function failedInUse(
    engine: EngineProcess,
    { vdb, old, other, change, recordedBefore, jobId }: Awaited<ReturnType<typeof killedChanging>>,
  ) {
    const end = await jobEnd(engine.client, jobId);
    ok(end.kind === "failed" && end.message.includes(`VDB ${vdb.name} is in use`), JSON.stringify(end));
    equal(await contentIn(vdb), old);
    const now = (await recorded(engine.client, vdb)).slice(0, 2);
    deepEqual(now, recordedBefore.slice(0, 2));
    await nothingLost(scratch, engine);
    await succeeded(engine.client, (await change(engine.client)).jobId);
    equal(await contentIn(vdb), other, "the next one works");
  }

  for (const type of sampled("a pod in between", changes, 1)) {
    test(`${type}, a pod that comes in between: the job fails, killed while it undoes it fails all the same, and the old data is there`, async () => {
      const name = `in-between-${type}`;
      const made = await killedChanging(type, lastBeforeSwap[type], name);
      const pod = mountedInPod(name, placeOf(made.vdb));
      await using second = await startEngineProcess(scratch, { holdAt: `${type}:failed` });
      await second.logged('"msg":"stopped at a failpoint"');
      await second.kill();
      await unmount(pod);
      await using third = await startEngineProcess(scratch);
      await failedInUse(third, made);
    });

    test(`${type}, a pod that comes in between the swap and its record: its server runs on, on the new data`, async () => {
      const name = `swapped-${type}`;
      const { vdb, other, jobId } = await killedChanging(type, "swapped", name);
      const pod = mountedInPod(name, placeOf(vdb));
      {
        await using server = await startOnClone(scratch, pod);
        await using second = await startEngineProcess(scratch);
        equal((await jobEnd(second.client, jobId)).kind, "succeeded");
        equal(contentOf(server), other);
        ok(existsSync(join(pod, "data/postmaster.pid")), "without it PostgreSQL stops within a minute");
      }
      await unmount(pod);
    });

    test(`${type}, a pod that comes in between the swap and its undoing: this waits until the pod has ended`, async () => {
      const name = `undone-${type}`;
      const made = await killedChanging(type, "swapped", name);
      const [current] = made.recordedBefore;
      const late = mountedInPod(`${name}-late`, join(poolDir(scratch), "timeflows", String(current)));
      const pod = mountedInPod(name, placeOf(made.vdb));
      await using second = await startEngineProcess(scratch);
      {
        await using server = await startOnClone(scratch, pod);
        await second.logged("it stays in its place until the pod that uses it has stopped");
        equal(contentOf(server), made.other);
        equal(server.sql("CREATE TABLE written AS SELECT 1 AS one; CHECKPOINT; SELECT one FROM written"), "1");
        equal(realpathSync(placeOf(made.vdb)).includes(String(current)), false, "the next pod gets what this one has");
      }
      await unmount(pod);
      await jobEnd(second.client, made.jobId);
      await unmount(late);
      await failedInUse(second, made);
    });
  }

  test("DB_DELETE, a pod that comes in between: the job fails, and the VDB stays until the pod has ended", async () => {
    let vdb: Vdb;
    let was: string;
    let jobId: string;
    {
      await using first = await startEngineProcess(scratch, { holdAt: "DB_DELETE:started" });
      ({ vdb, was } = await changedVdb(first.client, "deleted"));
      ({ jobId } = await first.client.deleteVdb(vdb.id));
      await first.logged('"msg":"stopped at a failpoint"');
      await first.kill();
    }
    const pod = mountedInPod("deleted", placeOf(vdb));
    await using second = await startEngineProcess(scratch);
    const end = await jobEnd(second.client, jobId);
    ok(end.kind === "failed" && end.message.includes("VDB deleted is in use"), JSON.stringify(end));
    equal(await contentIn(vdb), was);
    await unmount(pod);
    await succeeded(second.client, (await second.client.deleteVdb(vdb.id)).jobId);
    await nothingLost(scratch, second);
  });
});
