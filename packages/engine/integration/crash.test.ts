/** The engine is killed at each failpoint of its jobs. After the restart every job has ended and every effect has happened once. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eq, type Snapshot } from "@vdb/dct";
import * as fc from "fast-check";
import { isFullTier, sampled, testSeed } from "kube-runtime/testing";
import {
  declared,
  type EngineOptions,
  type EngineProcess,
  firstSnapshot,
  jobEnd,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { killedAt as killedAtFailpoint, nothingLost as nothingLostIn } from "./testing/killed-at.ts";
import { contentOf, password, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

describe("killed at a failpoint", { timeout: 900_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let content: string;
  let snapshot: Snapshot;
  let copied: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    content = contentOf(source);
    const dsources = [declared("production", source.port), declared("copied", source.port, { sync: "copy" })];
    await using engine = await startEngineProcess(scratch, { config: { dsources } });
    snapshot = await firstSnapshot(engine, "production");
    copied = await firstSnapshot(engine, "copied");
  });
  after(() => stack.disposeAsync());

  const killedAt = <T>(
    options: EngineOptions,
    work: (engine: EngineProcess) => Promise<T>,
    look: (engine: EngineProcess, made: T) => Promise<void>,
  ): Promise<void> => killedAtFailpoint(scratch, options, work, look);
  const nothingLost = (engine: EngineProcess): Promise<void> => nothingLostIn(scratch, engine);

  for (const failpoint of sampled("DB_PROVISION", ["started", "cloned", "snapshotted", "acted", "recorded"], 2)) {
    test(`DB_PROVISION:${failpoint}: exactly one VDB, with its data`, async () => {
      const name = `provision-${failpoint}`;
      await killedAt(
        { holdAt: `DB_PROVISION:${failpoint}` },
        ({ client }) => client.provisionBySnapshot({ snapshot_id: snapshot.id, name }),
        async (engine, { vdbId, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          const [vdb, ...more] = await engine.client.searchVdbs(eq("name", name));
          deepEqual([vdb?.id, vdb?.status, more.length], [vdbId, "RUNNING", 0]);
          equal((await engine.client.searchSnapshots(eq("dataset_id", vdbId))).length, 1);
          await nothingLost(engine);
          await using server = await startOnClone(scratch, vdb?.exported_data_directory ?? "");
          equal(contentOf(server), content);
        },
      );
    });
  }

  test("DB_PROVISION:originTaken, of a VDB: exactly one snapshot of it, and one copy", async () => {
    await using first = await startEngineProcess(scratch);
    const parent = await provisioned(first.client, snapshot.id, "origin");
    await first.stop();
    await killedAt(
      { holdAt: "DB_PROVISION:originTaken" },
      ({ client }) => client.provisionBySnapshot({ source_data_id: parent.id, name: "of-origin" }),
      async (engine, { jobId, vdbId }) => {
        equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
        equal(
          (await engine.client.searchSnapshots(eq("dataset_id", parent.id))).length,
          2,
          "its first, and the one taken for this",
        );
        await nothingLost(engine);
        await using server = await startOnClone(scratch, (await engine.client.getVdb(vdbId))?.exported_data_directory ?? "");
        equal(contentOf(server), content);
      },
    );
  });

  test("DB_PROVISION:drafted, between the copy and its new owner: exactly one VDB, of that owner", async () => {
    await killedAt(
      { holdAt: "DB_PROVISION:drafted" },
      ({ client }) =>
        client.provisionBySnapshot({
          snapshot_id: snapshot.id,
          name: "drafted",
          appdata_source_params: { ownership_spec: "70:70" },
        }),
      async (engine, { jobId, vdbId }) => {
        equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
        await nothingLost(engine);
        await using server = await startOnClone(scratch, (await engine.client.getVdb(vdbId))?.exported_data_directory ?? "", 70);
        equal(contentOf(server), content);
      },
    );
  });

  for (const failpoint of sampled("DB_DELETE", ["started", "removed", "acted", "recorded"], 1)) {
    test(`DB_DELETE:${failpoint}: the VDB and its snapshot are gone`, async () => {
      await killedAt(
        { holdAt: `DB_DELETE:${failpoint}` },
        async ({ client }) => {
          const vdb = await provisioned(client, snapshot.id, `delete-${failpoint}`);
          await succeeded(client, (await client.snapshotVdb(vdb.id)).jobId);
          return { id: vdb.id, ...(await client.deleteVdb(vdb.id)) };
        },
        async (engine, { id, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal(await engine.client.getVdb(id), undefined);
          equal((await engine.client.searchSnapshots(eq("dataset_id", id))).length, 0);
          await nothingLost(engine);
        },
      );
    });
  }

  test("a deletion asked for while the VDB is being provisioned comes after it", async () => {
    await killedAt(
      { holdAt: "DB_PROVISION:cloned" },
      async ({ client }) => {
        const provision = await client.provisionBySnapshot({ snapshot_id: snapshot.id, name: "regretted" });
        return { provision, deletion: await client.deleteVdb(provision.vdbId) };
      },
      async (engine, { provision, deletion }) => {
        equal((await jobEnd(engine.client, provision.jobId)).kind, "succeeded");
        equal((await jobEnd(engine.client, deletion.jobId)).kind, "succeeded");
        equal(await engine.client.getVdb(provision.vdbId), undefined);
        await nothingLost(engine);
      },
    );
  });

  for (const failpoint of sampled(
    "DB_SYNC",
    ["started", "streamed", "overwritten", "backedUp", "recovered", "cloned", "acted"],
    1,
  )) {
    test(`DB_SYNC:${failpoint} (seed ${testSeed}): exactly one more snapshot`, async () => {
      const id = (["overwritten", "backedUp"].includes(failpoint) ? copied : snapshot).dataset_id ?? "";
      await killedAt(
        { holdAt: `DB_SYNC:${failpoint}` },
        async ({ client }) => {
          const earlier = await client.searchSnapshots(eq("dataset_id", id));
          return { count: earlier.length, ...(await client.snapshotDSource(id)) };
        },
        async (engine, { count, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          const now = await engine.client.searchSnapshots(eq("dataset_id", id), { sort: "-timestamp" });
          equal(now.length, count + 1);
          await nothingLost(engine);
          const vdb = await provisioned(engine.client, now[0]?.id ?? "", `after-sync-${failpoint}`);
          await using server = await startOnClone(scratch, vdb.exported_data_directory);
          equal(contentOf(server), content);
        },
      );
    });
  }

  for (const failpoint of sampled("DB_SNAPSHOT", ["started", "cloned", "acted", "recorded"], 1)) {
    test(`DB_SNAPSHOT:${failpoint} (seed ${testSeed}): exactly one snapshot of the VDB, which can be cloned`, async () => {
      await killedAt(
        { holdAt: `DB_SNAPSHOT:${failpoint}` },
        async ({ client }) => {
          const vdb = await provisioned(client, snapshot.id, `snapshot-${failpoint}`);
          return { id: vdb.id, ...(await client.snapshotVdb(vdb.id)) };
        },
        async (engine, { id, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          const [own, ...more] = await engine.client.searchSnapshots(eq("dataset_id", id), { sort: "-timestamp" });
          equal(more.length, 1, "the other one was taken when the VDB was made");
          await nothingLost(engine);
          const vdb = await provisioned(engine.client, own?.id ?? "", `of-snapshot-${failpoint}`);
          await using server = await startOnClone(scratch, vdb.exported_data_directory);
          equal(contentOf(server), content);
        },
      );
    });
  }

  for (const failpoint of sampled("SNAPSHOT_DELETE", ["started", "acted", "recorded"], 1)) {
    test(`SNAPSHOT_DELETE:${failpoint} (seed ${testSeed}): the snapshot is gone, its clone is not`, async () => {
      await killedAt(
        { holdAt: `SNAPSHOT_DELETE:${failpoint}` },
        async ({ client }) => {
          const parent = await provisioned(client, snapshot.id, `parent-${failpoint}`);
          await succeeded(client, (await client.snapshotVdb(parent.id)).jobId);
          const [own] = await client.searchSnapshots(eq("dataset_id", parent.id));
          const child = await provisioned(client, own?.id ?? "", `child-${failpoint}`);
          return { id: own?.id ?? "", child, ...(await client.deleteSnapshot(own?.id ?? "")) };
        },
        async (engine, { id, child, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal(await engine.client.getSnapshot(id), undefined);
          await nothingLost(engine);
          await using server = await startOnClone(scratch, child.exported_data_directory);
          equal(contentOf(server), content);
        },
      );
    });
  }

  const link = async (
    { client }: EngineProcess,
    name: string,
  ): Promise<{ readonly dsourceId: string; readonly jobId: string }> => {
    const [group] = await client.searchGroups(eq("name", "Untitled"));
    const parameters = { host: "127.0.0.1", port: source.port, user: "postgres", password };
    return await client.linkAppData({ name, group_id: group?.id ?? "", parameters });
  };

  for (const failpoint of sampled(
    "DB_LINK",
    ["started", "overwritten", "backedUp", "begun", "recovered", "cloned", "acted"],
    1,
  )) {
    test(`DB_LINK:${failpoint} (seed ${testSeed}): linked, with exactly one snapshot`, async () => {
      await killedAt(
        { holdAt: `DB_LINK:${failpoint}` },
        (engine) => link(engine, `link-${failpoint}`),
        async (engine, { dsourceId, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal((await engine.client.getDSource(dsourceId))?.status, "Linked");
          equal((await engine.client.searchSnapshots(eq("dataset_id", dsourceId))).length, 1);
          await nothingLost(engine);
          await succeeded(engine.client, (await engine.client.deleteDSource(dsourceId)).jobId);
        },
      );
    });
  }

  for (const failpoint of sampled("DSOURCE_DELETE", ["started", "removed", "acted", "recorded"], 1)) {
    test(`DSOURCE_DELETE:${failpoint} (seed ${testSeed}): the dSource and its snapshot are gone`, async () => {
      await killedAt(
        { holdAt: `DSOURCE_DELETE:${failpoint}` },
        async (engine) => {
          const { dsourceId, jobId } = await link(engine, `unlink-${failpoint}`);
          await succeeded(engine.client, jobId);
          return { dsourceId, ...(await engine.client.deleteDSource(dsourceId)) };
        },
        async (engine, { dsourceId, jobId }) => {
          equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
          equal(await engine.client.getDSource(dsourceId), undefined);
          equal((await engine.client.searchSnapshots(eq("dataset_id", dsourceId))).length, 0);
          await nothingLost(engine);
        },
      );
    });
  }

  test(`killed at any moment while VDBs come and go (seed ${testSeed}): one each, or none`, async () => {
    const moments = fc.sample(fc.integer({ min: 0, max: 120 }), { numRuns: isFullTier ? 25 : 2, seed: testSeed });
    for (const [round, moment] of moments.entries()) {
      await using engine = await startEngineProcess(scratch);
      const names = Array.from({ length: 6 }, (_, i) => `moment-${round}-${i}`);
      const asked = names.map((name) =>
        engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, name }).then(
          async ({ vdbId, jobId }) => {
            if (name.endsWith("0")) await engine.client.deleteVdb(vdbId).catch(() => undefined);
            return jobId;
          },
          () => undefined, // killed before it answered: the VDB may be there or not
        ),
      );
      await sleep(moment);
      await engine.kill();
      const jobs = await Promise.all(asked);
      await using next = await startEngineProcess(scratch);
      for (const job of await next.client.searchJobs()) await jobEnd(next.client, job.id);
      for (const [i, name] of names.entries()) {
        const found = await next.client.searchVdbs(eq("name", name));
        ok(found.length <= 1, name);
        if (jobs[i] !== undefined && i !== 0)
          equal(found.length, 1, `${name}: what was answered is kept (killed after ${moment} ms)`);
        for (const { status } of found) equal(status, "RUNNING");
      }
      await nothingLost(next);
    }
  });

  test("SIGTERM leaves a running job for the next start", async () => {
    await using engine = await startEngineProcess(scratch, { holdAt: "DB_PROVISION:cloned" });
    const { jobId, vdbId } = await engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, name: "interrupted" });
    await engine.logged('"msg":"stopped at a failpoint"');
    equal(await engine.stop(), 0);
    await using next = await startEngineProcess(scratch);
    equal((await jobEnd(next.client, jobId)).kind, "succeeded");
    equal((await next.client.getVdb(vdbId))?.status, "RUNNING");
    await nothingLost(next);
  });
});
