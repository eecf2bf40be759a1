/** A dSource that is kept fresh by streaming: its snapshots come from a standby, and production sends it the WAL alone. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { eq, type Snapshot } from "@vdb/dct";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  poolDir,
  provisioned,
  settlePool,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { metricOf } from "./testing/metrics.ts";
import { contentOf, program, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const run = promisify(execFile);

describe("a dSource that is streamed", { timeout: 900_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let first: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = await startSource(scratch, "production", 4, ["log_replication_commands=on"], { initdb: ["--data-checksums"] });
    stack.defer(() => source[Symbol.asyncDispose]());
    engine = await startEngineProcess(scratch, {
      config: { dsources: [{ ...declared("production", source.port), sync: "stream" }] },
    });
    stack.defer(() => engine[Symbol.asyncDispose]());
    first = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  const metric = (name: string): Promise<number | undefined> => metricOf(engine, scratch, `delphix_engine_dsource_${name}`, "production");
  const streams = async (): Promise<void> => {
    for (let left = 300; (await metric("streaming")) !== 1; left -= 1) {
      ok(left > 0, `the dSource is streamed:\n${engine.log().slice(-4000)}`);
      await sleep(200);
    }
  };
  const copies = (): number => engine.log().split("a base backup has come").length - 1;
  const folderOf = ({ id }: { readonly id: string }): string => join(poolDir(scratch), "snapshots", id);
  const usedBytes = (): number => {
    settlePool(scratch);
    const { blocks, bfree, bsize } = statfsSync(poolDir(scratch));
    return (blocks - bfree) * bsize;
  };
  const newest = async (): Promise<Snapshot> => {
    const [found] = await engine.client.searchSnapshots(eq("dataset_id", first.dataset_id ?? ""), { sort: "-timestamp", limit: 1 });
    return found ?? first;
  };
  const synced = async (): Promise<Snapshot> => {
    await succeeded(engine.client, (await engine.client.snapshotDSource(first.dataset_id ?? "")).jobId);
    return await newest();
  };
  /** Every page is whole, and a server on a clone has the source's rows, and has not had to recover. */
  const isTheSource = async (snapshot: Snapshot, name: string): Promise<void> => {
    deepEqual(readdirSync(folderOf(snapshot)), ["data"]);
    await run(program(scratch, "pg_checksums"), ["--check", "-D", join(folderOf(snapshot), "data")]);
    const vdb = await provisioned(engine.client, snapshot.id, name);
    await using server = await startOnClone(scratch, vdb.exported_data_directory);
    equal(contentOf(server), contentOf(source));
    ok(!/redo starts at|standby|recovery in progress/u.test(server.log()), server.log());
    equal(server.sql("SELECT pg_is_in_recovery()"), "f");
  };

  test("a snapshot has all that was committed before it, and costs production the WAL alone", async (t) => {
    await streams();
    const dataBytes = Number(source.sql("SELECT sum(pg_database_size(oid)) FROM pg_database"));
    const [readBefore, usedBefore, copied] = [(await metric("read_bytes_total")) ?? 0, usedBytes(), copies()];
    for (let i = 0; i < 3; i += 1) {
      source.sql(`UPDATE pgbench_accounts SET abalance = ${i} WHERE aid % 500 = ${i}`);
      const snapshot = await synced();
      ok(Date.parse(snapshot.timestamp ?? "") > 0);
      await isTheSource(snapshot, `streamed-${i}`);
    }
    const [readBytes, usedNow] = [((await metric("read_bytes_total")) ?? 0) - readBefore, usedBytes() - usedBefore];
    t.diagnostic(`${dataBytes} bytes of data: three snapshots have read ${readBytes} and take ${usedNow}`);
    equal(copies(), copied, "no copy");
    ok(readBytes < dataBytes / 2, `${readBytes} bytes`);
    deepEqual(inPool(scratch).work, []);
    if (process.env["SHOW"]) console.log(engine.log());
  });
});
