/** Later snapshots of a dSource: they are what the source is, whatever has become of it, and share with the former ones what did not change. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eq, type Snapshot } from "@vdb/dct";
import { turns } from "kube-runtime/testing";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  jobEnd,
  poolDir,
  provisioned,
  startEngineProcess,
  succeeded,
  usedPoolBytes,
  writeConfig,
} from "./testing/engine.ts";
import { contentOf, program, type Server, sourceOwner, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const mib = 2 ** 20;
const skip = turns("kept fresh", ["killed", "failover"], 1);

describe("later snapshots of a dSource", { timeout: 600_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let first: Snapshot;
  let dataBytes: number;
  const dSourceId = (): string => first.dataset_id ?? "";

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = await startSource(scratch, "production", 2, [], { initdb: ["--data-checksums"] });
    stack.defer(() => source[Symbol.asyncDispose]());
    source.sql("CREATE TABLE doomed AS SELECT x, repeat('a', 900) FROM generate_series(1, 4000) AS x");
    source.sql("CREATE TABLE emptied AS SELECT x, repeat('b', 900) FROM generate_series(1, 4000) AS x");
    source.sql("CHECKPOINT");
    engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port, { sync: "copy" })] } });
    stack.defer(() => engine[Symbol.asyncDispose]());
    first = await firstSnapshot(engine, "production");
    dataBytes = Number(source.sql("SELECT sum(pg_database_size(oid)) FROM pg_database"));
  });
  after(() => stack.disposeAsync());

  const folderOf = ({ id }: { readonly id: string }): string => join(poolDir(scratch), "snapshots", id);
  const usedBytes = (): number => usedPoolBytes(scratch);
  const newest = async (): Promise<Snapshot> => {
    const [found] = await engine.client.searchSnapshots(eq("dataset_id", dSourceId()), { sort: "-timestamp", limit: 1 });
    return found ?? first;
  };
  const synced = async (): Promise<{ readonly snapshot: Snapshot; readonly grownBytes: number }> => {
    const earlier = usedBytes();
    await succeeded(engine.client, (await engine.client.snapshotDSource(dSourceId())).jobId);
    return { snapshot: await newest(), grownBytes: usedBytes() - earlier };
  };
  const changes = (): number => engine.log().split("the changed configuration is in force").length;
  /** The dSource is now the server that `source` is. */
  const relinked = async (): Promise<void> => {
    const earlier = changes();
    writeConfig(scratch, { dsources: [declared("production", source.port, { sync: "copy" })] });
    for (let left = 600; changes() === earlier; left -= 1) {
      ok(left > 0, "the engine reads its configuration");
      await sleep(100);
    }
  };
  /** Every page is whole, and a server on a clone has the source's rows. */
  const isTheSource = async (snapshot: Snapshot, name: string): Promise<void> => {
    execFileSync(program(scratch, "pg_checksums"), ["--check", "-D", join(folderOf(snapshot), "data")], { stdio: "pipe" });
    const vdb = await provisioned(engine.client, snapshot.id, name);
    await using server = await startOnClone(scratch, vdb.exported_data_directory);
    equal(contentOf(server), contentOf(source));
    // An index that leads elsewhere than its table shows.
    equal(
      server.sql("SET enable_seqscan = off; SELECT count(bid) FROM pgbench_accounts WHERE aid > 0"),
      source.sql("SELECT count(*) FROM pgbench_accounts"),
    );
  };
  const hashOf = (snapshot: Snapshot): string => {
    const hash = createHash("sha256");
    for (const entry of readdirSync(folderOf(snapshot), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      hash.update(path).update(entry.isFile() ? readFileSync(path) : "");
    }
    return hash.digest("hex");
  };

  test("a source that nobody has changed costs next to nothing", async (t) => {
    const { snapshot, grownBytes } = await synced();
    t.diagnostic(`${dataBytes} bytes of data: the second snapshot takes ${grownBytes}`);
    ok(grownBytes < 2 * mib, `${grownBytes} bytes`);
    await isTheSource(snapshot, "unchanged");
  });

  test("what has changed is what a snapshot costs; dropped and emptied tables are so in it, and the former ones stay as they were", async (t) => {
    const former = hashOf(first);
    const doomed = join("data", source.sql("SELECT pg_relation_filepath('doomed')"));
    ok(existsSync(join(folderOf(first), doomed)));
    source.sql("UPDATE pgbench_accounts SET abalance = 7 WHERE aid BETWEEN 1000 AND 3000");
    source.sql("DROP TABLE doomed");
    source.sql("TRUNCATE emptied");
    source.sql("CREATE TABLE added AS SELECT x, repeat('c', 900) FROM generate_series(1, 4000) AS x");
    const { snapshot, grownBytes } = await synced();
    const [addedBytes, walBytes] = [Number(source.sql("SELECT pg_relation_size('added')")), 8 * mib];
    t.diagnostic(`${dataBytes} bytes of data, ${addedBytes} of them new: the snapshot takes ${grownBytes}`);
    ok(grownBytes > addedBytes && grownBytes < 2 * addedBytes + walBytes, `${grownBytes} bytes`);
    equal(existsSync(join(folderOf(snapshot), doomed)), false);
    await isTheSource(snapshot, "changed");
    const vdb = await provisioned(engine.client, snapshot.id, "changed-tables");
    await using server = await startOnClone(scratch, vdb.exported_data_directory);
    equal(server.sql("SELECT (SELECT count(*) FROM emptied), (SELECT count(*) FROM added), to_regclass('doomed')"), "0|4000|");
    equal(hashOf(first), former);
  });

  test("killed when it is half written: the former snapshot is whole and the only one, and the job makes the next one", {
    skip: skip("killed"),
  }, async () => {
    const former = await newest();
    const whole = hashOf(former);
    await engine.stop();
    await using held = await startEngineProcess(scratch, { holdAt: "DB_SYNC:overwritten" });
    source.sql("UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 50 = 0");
    const { jobId } = await held.client.snapshotDSource(dSourceId());
    await held.logged('"msg":"stopped at a failpoint"');
    await held.kill();
    equal(hashOf(former), whole);
    engine = await startEngineProcess(scratch);
    equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
    equal(hashOf(former), whole);
    deepEqual(inPool(scratch).work, []);
    await isTheSource(await newest(), "after-a-kill");
  });

  test("a source that failed over to a server that has lost its last changes: the snapshot is what that server has", {
    skip: skip("failover"),
  }, async () => {
    const [one, other] = [join(scratch.path, "production"), join(scratch.path, "standby")];
    await source[Symbol.asyncDispose]();
    cpSync(one, other, { recursive: true, preserveTimestamps: true });
    execFileSync("chown", ["-R", `${sourceOwner}:${sourceOwner}`, other]);
    // It goes on for a while, on pages that the other one has as they were.
    source = await startOnClone(scratch, one, sourceOwner);
    source.sql("UPDATE pgbench_accounts SET abalance = -1 WHERE aid % 3 = 0");
    source.sql("CREATE TABLE lost AS SELECT x, repeat('d', 900) FROM generate_series(1, 4000) AS x");
    await relinked();
    await isTheSource((await synced()).snapshot, "before-the-failover");

    await source[Symbol.asyncDispose]();
    // As the end of a standby's recovery: it begins a timeline of its own.
    writeFileSync(join(other, "data/recovery.signal"), "");
    appendFileSync(join(other, "data/postgresql.auto.conf"), "restore_command = 'false'\n");
    source = await startOnClone(scratch, other, sourceOwner);
    equal(source.sql("SELECT timeline_id FROM pg_control_checkpoint()"), "2");
    source.sql("UPDATE pgbench_accounts SET abalance = 5 WHERE aid % 1000 = 0");
    await relinked();
    const { snapshot } = await synced();
    await isTheSource(snapshot, "after-the-failover");
    const wal = readdirSync(join(folderOf(snapshot), "data/pg_wal")).filter((name) =>
      statSync(join(folderOf(snapshot), "data/pg_wal", name)).isFile(),
    );
    deepEqual([...new Set(wal.map((name) => name.slice(0, 8)))], ["00000002"]);
  });
});
