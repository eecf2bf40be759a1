/**
 * Many clones of one source in the embedded engine: what they cost of the pool beside as many copies, at once and after a while with
 * servers on ten of them, and whether the last one comes as soon as the first.
 *
 *   node bench/many-clones.ts [clones=100] [GiB=1] [minutes=10] [servers=10]     as root, no cluster
 *
 * A real source (pgbench) of that size, linked by an engine on a pool of its own in a loop file below TMPDIR. Prints p50 and p95 of the
 * provision jobs from request to end, the ratio of the last ten to the first ten, and beside it one copy of the same files (cp).
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  declared,
  firstSnapshot,
  poolDir,
  startEngineProcess,
  succeeded,
  usedPoolBytes,
} from "../packages/engine/integration/testing/engine.ts";
import { startOnClone, startSource } from "../packages/engine/integration/testing/postgres.ts";
import { scratchFolder } from "../packages/engine/integration/testing/scratch.ts";
import { median, percentile } from "./median.ts";

const [count = 100, gib = 1, minutes = 10, servers = 10] = process.argv.slice(2).map(Number);
if (!(count >= 1 && gib > 0 && minutes >= 0 && servers <= count))
  throw new Error("usage: node bench/many-clones.ts [clones=100] [GiB=1] [minutes=10] [servers=10]: no more servers than clones");
/** Of pgbench: 100,000 accounts, with their index. */
const accountsBytes = 15 * 2 ** 20;

await using stack = new AsyncDisposableStack();
const scratch = stack.use(scratchFolder());
const pool = { size: `${Math.ceil(2.5 * gib + 2)}Gi`, reserve: "64Mi" };
const source = stack.use(await startSource(scratch, "production", Math.max(1, Math.round((gib * 2 ** 30) / accountsBytes))));
const engine = stack.use(
  await startEngineProcess(scratch, { config: { pool, dsources: [declared("production", source.port)] } }),
);
const snapshot = await firstSnapshot(engine, "production");
const snapshotFolder = join(poolDir(scratch), "snapshots", snapshot.id);
const dataBytes = Number(execFileSync("du", ["--summarize", "--bytes", snapshotFolder], { encoding: "utf8" }).split("\t")[0]);

const usedBytes = (): number => usedPoolBytes(scratch);
const timed = async <T>(work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly value: T }> => {
  const from = performance.now();
  const value = await work();
  return { ms: performance.now() - from, value };
};

const copy = await timed(() => {
  execFileSync("cp", ["--archive", "--reflink=never", snapshotFolder, join(scratch.path, "copy")]);
  execFileSync("sync", ["--file-system", scratch.path]);
});
execFileSync("rm", ["-r", join(scratch.path, "copy")]);

const before = usedBytes();
const [ms, folders] = [new Array<number>(), new Array<string>()];
for (let nth = 0; nth < count; nth += 1) {
  const job = await timed(async () => {
    const { vdbId, jobId } = await engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, name: `clone-${nth}` });
    await succeeded(engine.client, jobId);
    return vdbId;
  });
  ms.push(job.ms);
  // Its answer counts what the clone shares with all others, which is no part of the job.
  folders.push((await engine.client.getVdb(job.value))?.exported_data_directory ?? "");
}
const copies = count * dataBytes;
const share = (bytes: number): string => `${((100 * bytes) / copies).toFixed(4)} % of ${count} copies`;
const load = (): string => readFileSync("/proc/loadavg", "utf8").split(" ", 1)[0] ?? "";
console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load()}`);
console.log(`${count} clones of ${(dataBytes / 2 ** 30).toFixed(2)} GiB; a copy by cp takes ${copy.ms.toFixed(0)} ms`);
console.log(
  `a provision job: p50 ${median(ms).toFixed(0)} ms, p95 ${percentile(ms, 0.95).toFixed(0)} ms; a copy / p50 ${(copy.ms / median(ms)).toFixed(0)}`,
);
const tenth = Math.max(1, Math.min(10, Math.floor(count / 2)));
console.log(`the last ${tenth} / the first ${tenth}: ${(median(ms.slice(-tenth)) / median(ms.slice(0, tenth))).toFixed(2)}`);
const atOnce = usedBytes() - before;
console.log(`the pool has grown by ${Math.round(atOnce / 1024)} KiB: ${share(atOnce)}`);

await using running = new AsyncDisposableStack();
for (const folder of folders.slice(0, servers)) running.use(await startOnClone(scratch, folder));
await sleep(minutes * 60_000);
const later = usedBytes() - before;
console.log(
  `after ${minutes} idle minutes with servers on ${servers}, load ${load()}: ${Math.round(later / 1024)} KiB, ${share(later)}`,
);
