/** A dSource that is kept fresh by streaming: its snapshots come from a standby, and production sends it the WAL alone. */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { eq, type Snapshot } from "@vdb/dct";
import {
  callByHand,
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
import { metricOf } from "./testing/metrics.ts";
import {
  contentOf,
  password,
  program,
  type Server,
  sourceOwner,
  startOnClone,
  startSource,
  startSourceAgain,
} from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const run = promisify(execFile);
/** What the source keeps of its WAL is little, so that it is soon gone. */
const settings = ["max_wal_size=32MB", "min_wal_size=32MB", "wal_keep_size=0"];

describe("a dSource that is streamed", { timeout: 1_200_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let first: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = await startSource(scratch, "production", 1, settings, { initdb: ["--data-checksums"] });
    stack.defer(() => source[Symbol.asyncDispose]());
    engine = await startEngineProcess(scratch, { config: { dsources: [followed()] } });
    stack.defer(() => engine[Symbol.asyncDispose]());
    first = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  const followed = (more: object = {}): object => ({ ...declared("production", source.port), sync: "stream", ...more });
  const dSourceId = (): string => first.dataset_id ?? "";
  const metric = (name: string): Promise<number | undefined> =>
    metricOf(engine, scratch, `delphix_engine_dsource_${name}`, "production");
  /** Until the condition holds. */
  const seen = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (let left = 600; !(await holds()); left -= 1) {
      ok(left > 0, `${what}:\n${relevant()}`);
      await sleep(200);
    }
  };
  const streams = (): Promise<void> => seen("the dSource is streamed", async () => (await metric("streaming")) === 1);
  const said = (words: RegExp): Promise<void> => seen(`the engine says ${words}`, () => words.test(engine.log()));
  const count = (words: string): number => engine.log().split(words).length - 1;
  const copies = (): number => count("a base backup has come");
  /** What the engine and its standby have said of late, without the requests. */
  const relevant = (): string => {
    const lines = engine.log().split("\n");
    return lines
      .filter((line) => !line.includes('"msg":"request"'))
      .slice(-80)
      .join("\n");
  };
  const folderOf = ({ id }: { readonly id: string }): string => join(poolDir(scratch), "snapshots", id);
  const usedBytes = (): number => usedPoolBytes(scratch);
  const newest = async (): Promise<Snapshot> => {
    const [found] = await engine.client.searchSnapshots(eq("dataset_id", dSourceId()), { sort: "-timestamp", limit: 1 });
    return found ?? first;
  };
  const synced = async (): Promise<Snapshot> => {
    await succeeded(engine.client, (await engine.client.snapshotDSource(dSourceId())).jobId);
    return await newest();
  };
  const relinked = async (more: object = {}): Promise<void> => {
    const earlier = count("the changed configuration is in force");
    writeConfig(scratch, { dsources: [followed(more)] });
    await seen("the configuration is read", () => count("the changed configuration is in force") > earlier);
  };
  const changed = (value: number): void => void source.sql(`UPDATE pgbench_accounts SET abalance = ${value} WHERE aid % 500 = 1`);
  let clones = 0;
  /** Every page is whole, and a server on a clone has these rows, without a recovery. */
  const holds = async (snapshot: Snapshot, content: string): Promise<void> => {
    deepEqual(readdirSync(folderOf(snapshot)), ["data"]);
    deepEqual(
      readdirSync(join(folderOf(snapshot), "data")).filter((name) => /signal$|postmaster|aside$/u.test(name)),
      [],
    );
    await run(program(scratch, "pg_checksums"), ["--check", "-D", join(folderOf(snapshot), "data")]);
    clones += 1;
    const vdb = await provisioned(engine.client, snapshot.id, `clone-${clones}`);
    await using server = await startOnClone(scratch, vdb.exported_data_directory);
    equal(contentOf(server), content);
    match(server.log(), /database system was shut down at/u);
    equal(server.sql("SELECT pg_is_in_recovery()"), "f");
  };
  const isTheSource = async (snapshot: Snapshot): Promise<void> => await holds(snapshot, contentOf(source));
  /** The server that runs on the standby's data, as the kernel sees it. */
  const standbyPid = (): number | undefined =>
    readdirSync("/proc")
      .map(Number)
      .find((pid) => {
        if (!Number.isInteger(pid)) return false;
        try {
          const [name = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
          return name.endsWith("bin/postgres") && args.includes(join(poolDir(scratch), "standbys", dSourceId(), "data"));
        } catch {
          return false;
        }
      });
  const slots = (): string => source.sql("SELECT count(*) FROM pg_replication_slots");

  test("snapshots have all that was committed before them, share what has not changed, and cost production the WAL alone", async (t) => {
    await streams();
    const dataBytes = Number(source.sql("SELECT sum(pg_database_size(oid)) FROM pg_database"));
    const [readBefore, usedBefore, copiesBefore, from] = [(await metric("read_bytes_total")) ?? 0, usedBytes(), copies(), lsn()];
    const taken: { readonly snapshot: Snapshot; readonly content: string }[] = [];
    for (let i = 0; i < 3; i += 1) {
      changed(i);
      const position = lsn();
      const content = contentOf(source);
      const earlier = Date.now();
      const snapshot = await synced();
      const at = Date.parse(snapshot.timestamp ?? "");
      ok(at >= earlier - 1 && at <= Date.now(), `${snapshot.timestamp} is when it was taken`);
      equal(source.sql(`SELECT '${snapshot.location}'::pg_lsn + 1024 * 1024 > '${position}'`), "t");
      taken.push({ snapshot, content });
    }
    const [readBytes, grownBytes] = [((await metric("read_bytes_total")) ?? 0) - readBefore, usedBytes() - usedBefore];
    const walBytes = Number(source.sql(`SELECT pg_current_wal_lsn() - '${from}'`));
    t.diagnostic(`${dataBytes} bytes of data, ${walBytes} of WAL: three snapshots have read ${readBytes} and take ${grownBytes}`);
    equal(copies(), copiesBefore, "no copy");
    ok(readBytes >= walBytes / 2 && readBytes < walBytes + 32 * 2 ** 20, `${readBytes} bytes for ${walBytes} of WAL`);
    ok((await metric("stream_lag_bytes")) === 0 && ((await metric("stream_lag_seconds")) ?? 99) < 30);
    for (const { snapshot, content } of taken) await holds(snapshot, content);
    deepEqual(inPool(scratch).work, []);
    equal(slots(), "0");
    t.diagnostic(`the standby's memory: ${memoryOf(standbyPid() ?? 0)} kB`);
  });
  const lsn = (): string => source.sql("SELECT pg_current_wal_lsn()");

  test("the standby's server is killed: another one goes on, without a copy", async () => {
    const [copiesBefore, killed] = [copies(), standbyPid()];
    ok(killed !== undefined);
    process.kill(killed, "SIGKILL");
    changed(11);
    await isTheSource(await synced());
    equal(copies(), copiesBefore);
  });

  test("the engine is killed, while it streams and when a clone of the standby is half recovered", async () => {
    const former = await newest();
    await engine.kill();
    changed(21);
    engine = await startEngineProcess(scratch);
    await isTheSource(await synced());
    equal(copies(), 0);
    await engine.stop();
    equal(standbyPid(), undefined, "it ends with the engine");
    const held = await startEngineProcess(scratch, { holdAt: "DB_SYNC:streamed" });
    changed(22);
    const { jobId } = await held.client.snapshotDSource(dSourceId());
    await held.logged('"msg":"stopped at a failpoint"');
    await held.kill();
    engine = await startEngineProcess(scratch);
    equal((await jobEnd(engine.client, jobId)).kind, "succeeded");
    await isTheSource(await newest());
    equal(copies(), 0);
    deepEqual(inPool(scratch).work, []);
    ok((await newest()).id !== former.id);
  });

  test("production is restarted: the stream goes on; while it is away, that is told", async () => {
    await streams();
    await source[Symbol.asyncDispose]();
    await seen("the dSource is not streamed", async () => (await metric("streaming")) === 0);
    const end = await jobEnd(engine.client, (await engine.client.snapshotDSource(dSourceId())).jobId);
    ok(end.kind === "failed");
    match(end.message, /connection to postgres@127\.0\.0\.1:\d+ failed: .*refused/u);
    source = await startSourceAgain(scratch, "production", source.port, settings);
    changed(31);
    await isTheSource(await synced());
    await streams();
    equal(copies(), 0);
  });

  test("a changed password is used at once", async () => {
    const changedPassword = `${password} and more`;
    source.sql("CREATE ROLE linker LOGIN REPLICATION PASSWORD 'first'");
    writeFileSync(join(scratch.path, "secrets/link/linker"), "first");
    await relinked({ user: "linker", passwordSecret: { name: "link", key: "linker" } });
    await isTheSource(await synced());
    source.sql(`ALTER ROLE linker PASSWORD '${changedPassword}'`);
    source.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    await said(/password authentication failed for user/u);
    await seen("it is not streamed", async () => (await metric("streaming")) === 0);
    writeFileSync(join(scratch.path, "secrets/link/linker"), changedPassword);
    await streams();
    changed(41);
    await isTheSource(await synced());
    await relinked();
    await streams();
    equal(copies(), 0);
  });

  test("the source has removed WAL that the standby needs: the next snapshot is a copy, and those after it are streamed again", async () => {
    await engine.stop();
    for (let i = 0; i < 6; i += 1)
      source.sql("CREATE TABLE filler AS SELECT 1; DROP TABLE filler; SELECT pg_switch_wal(); CHECKPOINT");
    changed(51);
    engine = await startEngineProcess(scratch);
    await said(/the source has removed WAL that the standby has not received.*the next snapshot copies the source/u);
    equal(standbyPid(), undefined);
    const { body } = await callByHand(engine, scratch, "GET", `/dsources/${dSourceId()}`);
    match(JSON.stringify(body["appdata_source_params"]), /"stream":\{"streaming":false,"because":"the source has removed WAL/u);
    doesNotMatch(JSON.stringify(body), new RegExp(password.replaceAll("\\", "."), "u"));
    await isTheSource(await synced());
    equal(copies(), 1);
    await streams();
    changed(52);
    await isTheSource(await synced());
    equal(copies(), 1);
  });

  test("a source that failed over: followed where the new server has all changes, copied where it has lost some", async () => {
    const [one, other, third] = [join(scratch.path, "production"), join(scratch.path, "second"), join(scratch.path, "third")];
    const promoted = async (folder: string): Promise<Server> => {
      writeFileSync(join(folder, "data/recovery.signal"), "");
      appendFileSync(join(folder, "data/postgresql.auto.conf"), "restore_command = 'false'\n");
      return await startOnClone(scratch, folder, sourceOwner);
    };
    const former = copies();
    await streams();
    await source[Symbol.asyncDispose]();
    copied(one, other);
    source = await promoted(other);
    equal(source.sql("SELECT timeline_id FROM pg_control_checkpoint()"), "2");
    changed(61);
    await relinked();
    await isTheSource(await synced());
    equal(copies(), former, `the standby has followed:\n${relevant()}`);

    await source[Symbol.asyncDispose]();
    copied(other, third);
    source = await startOnClone(scratch, other, sourceOwner);
    await relinked();
    source.sql("UPDATE pgbench_accounts SET abalance = -1 WHERE aid % 3 = 0");
    await isTheSource(await synced());
    await source[Symbol.asyncDispose]();
    source = await promoted(third);
    equal(source.sql("SELECT timeline_id FROM pg_control_checkpoint()"), "3");
    changed(62);
    await relinked();
    const snapshot = await synced();
    await isTheSource(snapshot);
    equal(copies(), former + 1);
    const wal = readdirSync(join(folderOf(snapshot), "data/pg_wal")).filter((name) => /^[0-9A-F]{24}$/u.test(name));
    deepEqual([...new Set(wal.map((name) => name.slice(0, 8)))], ["00000003"]);
    await streams();
  });

  test("a source that was put back to an earlier copy of its files is copied, although its timeline is the same", async () => {
    const [now, earlier] = [join(scratch.path, "third"), join(scratch.path, "earlier")];
    const former = copies();
    await source[Symbol.asyncDispose]();
    copied(now, earlier);
    source = await startOnClone(scratch, now, sourceOwner);
    await relinked();
    source.sql("UPDATE pgbench_accounts SET abalance = -2 WHERE aid % 3 = 0");
    await isTheSource(await synced());
    equal(copies(), former);
    await source[Symbol.asyncDispose]();
    source = await startOnClone(scratch, earlier, sourceOwner);
    await relinked();
    changed(71);
    await isTheSource(await synced());
    equal(copies(), former + 1);
    await streams();
  });

  test("a pool that is nearly full: the standby stands still, with the figure, and goes on when there is room", async () => {
    await streams();
    writeConfig(scratch, { pool: { size: "1Gi", reserve: "1000Mi" }, dsources: [followed()] });
    await said(/not enough free space in pool .* for the standby of dSource production: \d+ bytes/u);
    await seen("the standby is stopped", () => standbyPid() === undefined);
    await relinked();
    await streams();
    changed(72);
    await isTheSource(await synced());
  });

  test("a source whose commits would wait for the standby is copied, and it is told why", async () => {
    source.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    source.sql("ALTER SYSTEM SET synchronous_commit = local");
    await relinked({ sync: "copy" });
    await seen("the standby is gone", () => standbyPid() === undefined && inPool(scratch).standbys.length === 0);
    source.sql("SELECT pg_reload_conf()");
    await relinked();
    const former = copies();
    await isTheSource(await synced());
    await said(/synchronous_standby_names of the source .* until then each snapshot copies the source/u);
    equal(copies(), former + 1);
    equal(standbyPid(), undefined);
    source.sql("ALTER SYSTEM RESET synchronous_standby_names");
    source.sql("SELECT pg_reload_conf()");
    await synced();
    await streams();
  });

  test("a deleted dSource leaves no standby here, and nothing at the source", async () => {
    const earlier = count("the changed configuration is in force");
    writeConfig(scratch, { dsources: [] });
    await seen("the configuration is read", () => count("the changed configuration is in force") > earlier);
    await callByHand(engine, scratch, "POST", "/dsources/delete", { dsource_id: dSourceId(), force: true });
    await seen("the standby is gone", () => standbyPid() === undefined && inPool(scratch).standbys.length === 0);
    equal(slots(), "0");
    equal(source.sql("SELECT count(*) FROM pg_stat_replication"), "0");
  });
});

/** What the processes of a server hold together, shared pages counted once. */
function memoryOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  const [, own] = /^Pss: +(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(own) + children.map(memoryOf).reduce((a, b) => a + b, 0);
}

function copied(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  execFileSync("chown", ["-R", `${sourceOwner}:${sourceOwner}`, to]);
}
