/**
 * Runs the test files of the named groups, one group after the other, and ends with the line `N passed, N failed`.
 *
 * unit: beside the source, no cluster, no root. integration: packages/*\/integration, real API server, PostgreSQL, btrfs.
 * e2e: the whole path on the cluster of `make cluster-up`. majors: there too, with every major version of PostgreSQL. after: what it has left behind. soak: there too, everything is killed at random for minutes or hours.
 * oldest: of integration what asks an API server, with that of the oldest Kubernetes that the charts admit; cluster/oldest/build builds it.
 * xfs: of integration what has a pool, on XFS instead of the file system that the machine does best.
 * --within=SECONDS ends what still runs then. Exit status 1 when anything failed or nothing ran.
 */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { isOwnFailure } from "./own-failure.ts";
import { keepFilesTogether } from "./run-folder.ts";

const groups = {
  unit: {
    files: ["packages/*/src/**/*.test.ts", "{cluster,scripts,bench,e2e/*}/**/*.test.ts"],
    concurrency: 2,
    timeoutSeconds: 120,
  },
  integration: { files: ["packages/*/integration/**/*.test.ts"], concurrency: 3, timeoutSeconds: 2400 }, // they wait more than they work
  e2e: { files: ["e2e/!(soak|rights|secrets|majors).test.ts"], concurrency: 1, timeoutSeconds: 2400 },
  majors: { files: ["e2e/majors.test.ts"], concurrency: 1, timeoutSeconds: 2400 },
  after: { files: ["e2e/{rights,secrets}.test.ts"], concurrency: 1, timeoutSeconds: 300 }, // behind all that they look at
  oldest: {
    files: [
      "packages/{api,runtime}/integration/**/*.test.ts",
      "packages/operator/integration/{charts,vdb-*,tasks,deputy}.test.ts",
    ],
    concurrency: 2,
    timeoutSeconds: 2400,
  },
  xfs: {
    files: ["packages/engine/integration/**/*.test.ts", "packages/csi/integration/{driver,killed}.test.ts"],
    concurrency: 2,
    timeoutSeconds: 2400,
  },
  soak: { files: ["e2e/soak.test.ts"], concurrency: 1, timeoutSeconds: 86_400 }, // the test has its own, by its minutes
} as const;
type Group = keyof typeof groups;

const limitOption = "--within=";
const limitSeconds = Number(process.argv.find((name) => name.startsWith(limitOption))?.slice(limitOption.length) ?? Infinity);
const overdue = Number.isFinite(limitSeconds) ? AbortSignal.timeout(limitSeconds * 1000) : new AbortController().signal;
const signal = AbortSignal.any([overdue, keepFilesTogether()]);
const counts = { passed: 0, failed: 0, skipped: 0 };

async function runGroup(group: Group, only: readonly string[]): Promise<void> {
  const { files, concurrency, timeoutSeconds } = groups[group];
  const found = globSync([...files], { exclude: ["**/node_modules/**"] }).filter(
    (file) => only.length === 0 || only.some((part) => file.includes(part)),
  );
  if (found.length === 0) return;
  if (group === "oldest") process.env["KUBE_BIN"] = execFileSync("cluster/paths", ["oldest"], { encoding: "utf8" }).trim();
  if (group === "xfs") process.env["POOL"] = "xfs";
  const from = performance.now();
  const execArgv = ["--import", join(import.meta.dirname, "fail-when-left-open.ts")];
  const stream = run({ files: found.toSorted(), concurrency, timeout: timeoutSeconds * 1000, execArgv, signal });
  stream.on("test:pass", ({ skip, todo, details }) => {
    if (details.type === "suite") return;
    if (skip !== undefined || todo !== undefined) counts.skipped += 1;
    else counts.passed += 1;
  });
  stream.on("test:fail", ({ details }) => {
    if (isOwnFailure(details)) counts.failed += 1;
  });
  const printed = stream.compose(new spec());
  for await (const chunk of printed) process.stdout.write(String(chunk));
  console.log(`${group}: ${Math.round((performance.now() - from) / 1000)} s`);
}

const names = process.argv.slice(2).filter((name) => !name.startsWith(limitOption));
const wanted = names.filter((name): name is Group => Object.hasOwn(groups, name));
const only = names.filter((name) => !Object.hasOwn(groups, name));
for (const group of wanted) if (!signal.aborted) await runGroup(group, only);
if (overdue.aborted) {
  console.log(`ended after ${limitSeconds} s, before all tests had run`);
  counts.failed += 1;
} else if (signal.aborted) {
  console.log(`ended by ${String(signal.reason)}, before all had run`);
  counts.failed += 1;
}
if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
