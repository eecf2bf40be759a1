/**
 * From the clone of a busy database to the first answer of its server: of a snapshot that the engine has prepared (recovery is paid once),
 * beside one as a crash at that moment would leave it. And how long a refresh job and an undo of it take, beside a provision job.
 *
 *   node bench/prepared.ts [runs=30] [MB of WAL=800] [scale=20]     as root, no cluster
 *
 * The busy database is a VDB under updates, without a checkpoint until so much WAL is outstanding. Its own snapshot is the unprepared one;
 * the prepared one is that of a dSource that is linked to it. Both are cloned by turns. Prints medians in milliseconds and their ratio.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { eq } from "@vdb/dct";
import {
  declared,
  firstSnapshot,
  provisioned,
  startEngineProcess,
  succeeded,
  writeConfig,
} from "../packages/engine/integration/testing/engine.ts";
import { startOnClone, startSource } from "../packages/engine/integration/testing/postgres.ts";
import { scratchFolder } from "../packages/engine/integration/testing/scratch.ts";
import { median, percentile } from "./median.ts";

const [runs = 30, walMB = 800, scale = 20] = process.argv.slice(2).map(Number);
if (!(runs >= 1 && walMB >= 0 && scale >= 1))
  throw new Error("usage: node bench/prepared.ts [runs=30] [MB of WAL=800] [scale=20]");

await using stack = new AsyncDisposableStack();
const scratch = stack.use(scratchFolder());
const pool = { size: "12Gi", reserve: "64Mi" };
const source = stack.use(await startSource(scratch, "production", scale));
const production = declared("production", source.port);
const engine = stack.use(await startEngineProcess(scratch, { config: { pool, dsources: [production] } }));
const { client } = engine;
const busy = await provisioned(client, (await firstSnapshot(engine, "production")).id, "busy");
appendFileSync(
  join(busy.exported_data_directory, "data/postgresql.conf"),
  "checkpoint_timeout = 1d\nmax_wal_size = 16GB\nautovacuum = off\n",
);
const server = stack.use(await startOnClone(scratch, busy.exported_data_directory));
const outstanding = (): number => Number(server.sql("SELECT pg_current_wal_lsn() - redo_lsn FROM pg_control_checkpoint()")) / 1e6;
for (let pass = 0; outstanding() < walMB; pass += 1)
  server.sql(`UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 8 = ${pass % 8}`);
const walAtSnapshot = outstanding();
await succeeded(client, (await client.snapshotVdb(busy.id)).jobId);
const [unprepared] = await client.searchSnapshots(eq("dataset_id", busy.id), { sort: "-timestamp", limit: 1 });
writeConfig(scratch, { pool, dsources: [production, declared("busy-source", server.port)] });
const prepared = await firstSnapshot(engine, "busy-source");

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work();
  return performance.now() - from;
};
async function untilAnswer(snapshotId: string, name: string): Promise<{ readonly ms: number; readonly vdbId: string }> {
  const from = performance.now();
  const { id, exported_data_directory: folder } = await provisioned(client, snapshotId, name);
  await using clone = await startOnClone(scratch, folder);
  clone.sql("SELECT 1");
  return { ms: performance.now() - from, vdbId: id };
}

const took: Record<"prepared" | "unprepared" | "provision" | "refresh" | "undo", number[]> = {
  prepared: [],
  unprepared: [],
  provision: [],
  refresh: [],
  undo: [],
};
for (let run = 0; run < runs; run += 1)
  for (const [what, id] of [
    ["prepared", prepared.id],
    ["unprepared", unprepared?.id ?? ""],
  ] as const) {
    const { ms, vdbId } = await untilAnswer(id, `${what}-${run}`);
    took[what].push(ms);
    await succeeded(client, (await client.deleteVdb(vdbId)).jobId);
  }
const changing = await provisioned(client, prepared.id, "changing");
for (let run = 0; run < runs; run += 1) {
  const wanted = { snapshot_id: prepared.id, name: `provision-${run}` };
  took.provision.push(await timed(async () => succeeded(client, (await client.provisionBySnapshot(wanted)).jobId)));
  took.refresh.push(await timed(async () => succeeded(client, (await client.refreshBySnapshot(changing.id, {})).jobId)));
  took.undo.push(await timed(async () => succeeded(client, (await client.undoRefresh(changing.id)).jobId)));
}

const load = readFileSync("/proc/loadavg", "utf8").split(" ", 1)[0] ?? "";
console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load}; medians of ${runs}`);
const ms = (what: keyof typeof took): string =>
  `${what}: p50 ${median(took[what]).toFixed(0)} ms, p95 ${percentile(took[what], 0.95).toFixed(0)} ms`;
console.log(`clone → first answer, ${walAtSnapshot.toFixed(0)} MB of WAL outstanding`);
console.log(`  ${ms("prepared")}`);
console.log(`  ${ms("unprepared")}; unprepared / prepared ${(median(took.unprepared) / median(took.prepared)).toFixed(1)}`);
console.log("jobs, from request to end");
for (const what of ["provision", "refresh", "undo"] as const)
  console.log(`  ${ms(what)}; / provision ${(median(took[what]) / median(took.provision)).toFixed(2)}`);
