/** A pool that is full refuses by name, keeps what it has, and goes on when there is free space again. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { eq, type Snapshot } from "@vdb/dct";
import {
  dataDir,
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  jobEnd,
  poolDir,
  provisioned,
  settlePool,
  startEngineProcess,
  succeeded,
  writeConfig,
} from "./testing/engine.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

function allocated(file: string, bytes: number): boolean {
  rmSync(file, { force: true });
  return spawnSync("fallocate", ["-l", String(bytes), file]).status === 0;
}

describe("too little free space", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let snapshot: Snapshot;
  const config = () => ({
    pool: { size: "1Gi", reserve: "32Mi" },
    dsources: [declared("production", source.port, { sync: "copy" })],
  });

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 5));
    engine = stack.use(await startEngineProcess(scratch, { config: config() }));
    snapshot = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  const filler = (): string => join(poolDir(scratch), "filler");
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(poolDir(scratch));
    return bavail * bsize;
  };
  /** Leaves so many bytes free. What was removed before has to be free first, which takes its time. */
  const fill = (left: number): void => {
    settlePool(scratch);
    const bytes = freeBytes() - left;
    // XFS also needs some blocks to say where the bytes are.
    const less = [0, 2 ** 16, 2 ** 17, 2 ** 18, 2 ** 19].find((some) => allocated(filler(), bytes - some));
    ok(less !== undefined, `${bytes} bytes cannot be filled`);
    settlePool(scratch);
    ok(freeBytes() <= left + 2 ** 20, `${freeBytes()} bytes are free`);
  };
  const free = (): void => rmSync(filler(), { force: true });
  afterEach(free);

  test("provisioning below the reserve fails, naming pool, free and needed bytes; afterwards it works", async () => {
    fill(16 * 2 ** 20);
    const { vdbId, jobId } = await engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, name: "crowded" });
    const end = await jobEnd(engine.client, jobId);
    ok(end.kind === "failed");
    match(
      end.message,
      /not enough free space in pool .*engine\/pool\/? for VDB crowded: \d+ bytes \(\d+ MiB\) free, \d+ bytes \(33 MiB\) needed/u,
    );
    equal(await engine.client.getVdb(vdbId), undefined, "a failed VDB leaves nothing, not even its name");
    deepEqual(inPool(scratch).vdbs, []);
    free();
    const vdb = await provisioned(engine.client, snapshot.id, "crowded");
    await using server = await startOnClone(scratch, vdb.exported_data_directory);
    equal(contentOf(server), contentOf(source));
  });

  /** What the engine says is free. */
  async function freeMiB(): Promise<number> {
    const [found] = await engine.client.searchEngines();
    const { data_storage_capacity: capacity = 0, data_storage_used: used = 0, data_storage_reserve } = found ?? {};
    const { blocks, bsize } = statfsSync(poolDir(scratch)); // on XFS less than the pool's size by its journal
    deepEqual([capacity, data_storage_reserve], [blocks * bsize, 32 * 2 ** 20], "the disk below has enough free space");
    ok(capacity > 0.9 * 2 ** 30);
    return (capacity - used) / 2 ** 20;
  }

  test("the engine says how full its pool is, as it fills and when there is free space again", async () => {
    ok((await freeMiB()) > 500);
    fill(24 * 2 ** 20);
    const left = await freeMiB();
    ok(left > 16 && left < 26, `${left} MiB`);
    free();
    fill(4 * 2 ** 20);
    // As a database does it, to the last byte.
    const write = ["if=/dev/urandom", `of=${filler()}`, "bs=64K", "oflag=append,sync", "conv=notrunc"];
    await rejects(promisify(execFile)("dd", write), /No space left on device/u);
    ok(
      (await freeMiB()) < 16,
      "what the operator calls full: a write that gets ENOSPC is never beside figures that say there is free space",
    );
    free();
    settlePool(scratch);
    ok((await freeMiB()) > 500);
  });

  const second = async (status: RegExp): Promise<string> => {
    for (let left = 300; left > 0; left -= 1) {
      const [found] = await engine.client.searchDSources(eq("name", "second"));
      if (status.test(found?.status ?? "")) return found?.status ?? "";
      await sleep(200);
    }
    throw new Error(`dSource second never said ${status}`);
  };

  test("a source larger than the free space is refused before the copy, stays visible as an error, and is taken when there is enough", async () => {
    fill(64 * 2 ** 20);
    writeConfig(scratch, {
      ...config(),
      dsources: [...config().dsources, declared("second", source.port, { sync: "copy" })],
    });
    try {
      match(await second(/^Error/u), /not enough free space in pool .* for a base backup of dSource second: .* free, .* needed/u);
      deepEqual(inPool(scratch).work, []);
      // Of the other one there is a snapshot that the next one shares nearly everything with; XFS rewrites in larger pieces than btrfs.
      await succeeded(engine.client, (await engine.client.snapshotDSource(snapshot.dataset_id ?? "")).jobId);
      free();
      await second(/^Linked$/u);
    } finally {
      writeConfig(scratch, config());
    }
  });

  test("in a pool without a byte left a VDB can still be deleted, and gives back what it held", async () => {
    const vdb = await provisioned(engine.client, snapshot.id, "heavy");
    execFileSync("fallocate", ["-l", String(64 * 2 ** 20), join(vdb.exported_data_directory, "data/ballast")]);
    fill(0);
    const full = freeBytes();
    await succeeded(engine.client, (await engine.client.deleteVdb(vdb.id)).jobId);
    deepEqual(inPool(scratch).vdbs.includes(vdb.id), false);
    settlePool(scratch);
    ok(freeBytes() > full + 32 * 2 ** 20, `${full} → ${freeBytes()}`);
  });

  /** The copy of the source as it stands still in the middle; the number of the process that sends it. */
  async function copyingHeld(): Promise<number> {
    for (let left = 2_000; left > 0; left -= 1) {
      const pid = Number(source.sql("SELECT pid FROM pg_stat_progress_basebackup WHERE backup_streamed > 1000000"));
      if (pid > 0) {
        process.kill(pid, "SIGSTOP");
        return pid;
      }
    }
    throw new Error("no base backup was seen");
  }

  test("a pool that fills up during the copy: the copy is given up by name, the reserve is kept, and with free space again it works", async () => {
    const { jobId } = await engine.client.snapshotDSource(snapshot.dataset_id ?? "");
    const sender = await copyingHeld();
    try {
      fill(16 * 2 ** 20);
      const end = await jobEnd(engine.client, jobId);
      ok(end.kind === "failed");
      match(end.message, /not enough free space in pool .* for a base backup of dSource production/u);
      deepEqual(inPool(scratch).work, []);
      equal(inPool(scratch).snapshots.length, (await engine.client.searchSnapshots()).length);
    } finally {
      process.kill(sender, "SIGCONT");
    }
    free();
    await succeeded(engine.client, (await engine.client.snapshotDSource(snapshot.dataset_id ?? "")).jobId);
  });

  test("a source that ends during the copy: told as such, nothing half-made is left, and the next try works", async () => {
    const { jobId } = await engine.client.snapshotDSource(snapshot.dataset_id ?? "");
    process.kill(await copyingHeld(), "SIGKILL");
    const end = await jobEnd(engine.client, jobId);
    ok(end.kind === "failed");
    match(end.message, /base backup of postgres@127\.0\.0\.1:\d+ failed: .*(?:terminat|closed|connection)/u);
    deepEqual(inPool(scratch).work, []);
    equal(inPool(scratch).snapshots.length, (await engine.client.searchSnapshots()).length);
    for (let left = 100; ; left -= 1) {
      const again = await jobEnd(engine.client, (await engine.client.snapshotDSource(snapshot.dataset_id ?? "")).jobId);
      if (again.kind === "succeeded") break;
      ok(left > 0, again.message); // the source recovers for a moment
      await sleep(100);
    }
  });

  test("killed while a failure is being cleaned up: the job ends as failed, nothing is left", async () => {
    await engine.stop();
    await using held = await startEngineProcess(scratch, { holdAt: "DB_PROVISION:failed" });
    fill(16 * 2 ** 20);
    const { vdbId, jobId } = await held.client.provisionBySnapshot({ snapshot_id: snapshot.id, name: "given-up" });
    await held.logged('"msg":"stopped at a failpoint"');
    await held.kill();
    free();
    engine = stack.use(await startEngineProcess(scratch));
    const end = await jobEnd(engine.client, jobId);
    ok(end.kind === "failed", "a failure that was decided is not taken back by the restart");
    match(end.message, /not enough free space/u);
    equal(await engine.client.getVdb(vdbId), undefined);
  });

  test("the pool grows when the configuration says so, without a restart", async () => {
    const earlier = freeBytes();
    writeConfig(scratch, { ...config(), pool: { size: "1280Mi", reserve: "32Mi" } });
    await engine.logged("the changed configuration is in force");
    equal(statSync(join(dataDir(scratch), "pool.img")).size, 1280 * 2 ** 20);
    ok(freeBytes() > earlier + 200 * 2 ** 20, `${earlier} → ${freeBytes()}`);
  });
});
