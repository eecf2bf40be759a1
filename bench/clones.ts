/**
 * How long the embedded engine's pool takes for a clone, a snapshot and a removal, on XFS beside btrfs, and what a clone costs of it.
 *
 *   node bench/clones.ts [runs=30] [GiB=1] [files=1000]     as root, no cluster
 *
 * The source is so much data in so many files, on a pool of its own in a loop file below TMPDIR; the file systems take turns.
 * Prints p50 and p95 in milliseconds, the ratio of the medians, and the bytes of the pool that one more clone takes.
 */
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileSystemNames } from "../packages/engine/src/pool/file-system.ts";
import { mountPool } from "../packages/engine/src/pool/mount.ts";
import { openPool } from "../packages/engine/src/pool/open.ts";
import type { Pool } from "../packages/engine/src/pool/pool.ts";
import { median, percentile } from "./median.ts";

const [runs, gib, files] = [Number(process.argv[2] ?? 30), Number(process.argv[3] ?? 1), Number(process.argv[4] ?? 1000)];
const works = {
  clone: (pool: Pool, run: number) => pool.clone("timeflows/source", `timeflows/clone-${run}`, "writable"),
  snapshot: (pool: Pool, run: number) => pool.clone("timeflows/source", `snapshots/snapshot-${run}`, "readOnly"),
  removal: (pool: Pool, run: number) => pool.remove(`snapshots/snapshot-${run}`),
};
type Work = keyof typeof works;
const names: readonly Work[] = ["clone", "snapshot", "removal"];

async function withSource(folder: string, fileSystem: (typeof fileSystemNames)[number]) {
  const place = { imageFile: join(folder, `${fileSystem}.img`), mountPoint: join(folder, fileSystem) };
  await mountPool(place, { sizeBytes: (gib + 2) * 2 ** 30, holdsData: false, fileSystem });
  const pool = await openPool(place, fileSystem);
  await pool.create("timeflows/source");
  const data = join(pool.pathOf("timeflows/source"), "data/base/5");
  mkdirSync(data, { recursive: true });
  const bytes = Buffer.alloc(Math.floor((gib * 2 ** 30) / files), 7);
  for (let file = 0; file < files; file += 1) {
    writeFileSync(join(data, String(file)), bytes);
    chownSync(join(data, String(file)), 999, 999);
  }
  settle(place.mountPoint);
  return {
    fileSystem,
    pool,
    mountPoint: place.mountPoint,
    seconds: { clone: [], snapshot: [], removal: [] } as Record<Work, number[]>,
  };
}

const settle = (mountPoint: string): void => void execFileSync("sync", ["--file-system", mountPoint]);

function usedBytes(mountPoint: string): number {
  settle(mountPoint);
  const { blocks, bfree, bsize } = statfsSync(mountPoint);
  return (blocks - bfree) * bsize;
}

const folder = mkdtempSync(join(tmpdir(), "bench-clones-"));
using stack = new DisposableStack();
stack.defer(() => rmSync(folder, { recursive: true }));
const pools: Awaited<ReturnType<typeof withSource>>[] = [];
for (const name of fileSystemNames) {
  stack.defer(() => void execFileSync("umount", [join(folder, name)]));
  pools.push(await withSource(folder, name));
}
const before = pools.map(({ mountPoint }) => usedBytes(mountPoint));
for (let run = 0; run < runs; run += 1)
  for (const { pool, seconds } of pools)
    for (const name of names) {
      const from = performance.now();
      await works[name](pool, run);
      seconds[name].push(performance.now() - from);
    }
const ms = (all: readonly number[]): string => `p50 ${median(all).toFixed(1)} ms, p95 ${percentile(all, 0.95).toFixed(1)} ms`;
console.log(`${gib} GiB in ${files} files, ${runs} runs`);
for (const [i, { fileSystem, seconds, mountPoint }] of pools.entries()) {
  for (const name of names) console.log(`${fileSystem}: ${name} ${ms(seconds[name])}`);
  const [first] = pools;
  if (first !== undefined && i > 0)
    console.log(`${fileSystem} / ${first.fileSystem}: clone ${(median(seconds.clone) / median(first.seconds.clone)).toFixed(1)}`);
  console.log(
    `${fileSystem}: a clone takes ${Math.round((usedBytes(mountPoint) - (before[i] ?? 0)) / runs / 1024)} KiB of the pool`,
  );
}
