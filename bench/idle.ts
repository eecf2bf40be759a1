/**
 * What an idle PostgresVDB costs: the processor time of the whole cluster (pods, kubelet, container runtime, API server,
 * operator) with VDBs that nobody uses, less that without them, per VDB.
 *
 *   node bench/idle.ts [VDBs=10] [seconds=60]   on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests)
 *
 * Beside it, in the same run, the same by bare Deployments of the same image whose probe starts a process every second.
 */

import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout } from "node:timers/promises";
import { run, secretYaml, testCluster, vdbManifest } from "@vdb/cluster";
import { barePostgres } from "./bare-postgres.ts";

const count = Number(process.argv[2] ?? 10);
const seconds = Number(process.argv[3] ?? 60);
const settleSeconds = 15;
const kubectl = await testCluster();
const namespace = "pg-operator";

/** The cluster's own processes alone: the machine may do other things beside. */
const cgroups = "/sys/fs/cgroup";
const unified = existsSync(`${cgroups}/cgroup.controllers`) ? cgroups : `${cgroups}/unified`;
const statistics = `${unified}/delphix-${process.env["CLUSTER_NAME"] || "delphix"}/cpu.stat`;
function usedSeconds(): number {
  const [, microseconds] = /^usage_usec (\d+)$/mu.exec(readFileSync(statistics, "utf8")) ?? [];
  if (microseconds === undefined) throw new Error(`${statistics} has no usage_usec`);
  return Number(microseconds) / 1e6;
}

async function coresInUse(): Promise<number> {
  await setTimeout(settleSeconds * 1000);
  const [used, from] = [usedSeconds(), performance.now()];
  await setTimeout(seconds * 1000);
  return (usedSeconds() - used) / ((performance.now() - from) / 1000);
}

const names = (what: string): readonly string[] => Array.from({ length: count }, (_, index) => `idle-${what}-${index}`);

/** Cores in use while `manifests` stand, which are gone again afterwards. */
async function coresWith(manifests: readonly string[], kind: string, what: string, condition: string): Promise<number> {
  const all = names(what).map((name) => `${kind}/${name}`);
  for (const manifest of manifests) await kubectl.apply(manifest);
  await kubectl.run(["wait", "-n", namespace, `--for=condition=${condition}`, ...all, "--timeout=300s"]);
  const cores = await coresInUse();
  await kubectl.run(["delete", "-n", namespace, ...all, "--cascade=foreground", "--timeout=300s"]);
  return cores;
}

await kubectl.apply(secretYaml(namespace, "bench-password", { password: "bench-only-1" }));
const database = { name: "postgres", user: "postgres", passwordSecretRef: "bench-password" };
const vdbs = names("vdb").map((name) => vdbManifest({ name, namespace, spec: { database, resources: {} } }));
const bares = names("bare").map((name) => barePostgres(name, namespace, { requests: { cpu: "1m", memory: "16Mi" } }));

const none = await coresInUse();
const withVdbs = await coresWith(vdbs, "postgresvdb", "vdb", "Ready");
const withBares = await coresWith(bares, "deployment", "bare", "Available");
const noneAgain = await coresInUse();

const baseline = (none + noneAgain) / 2;
const each = (cores: number): string => ((cores - baseline) / count).toFixed(4);
const load = (await run("cat", ["/proc/loadavg"])).split(" ")[0];
console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load}; ${seconds} s each`);
console.log(`no database:                         ${none.toFixed(3)} cores before, ${noneAgain.toFixed(3)} after`);
console.log(`${count} idle PostgresVDBs:               ${withVdbs.toFixed(3)} cores, ${each(withVdbs)} each`);
console.log(`${count} bare, asked by a process per second: ${withBares.toFixed(3)} cores, ${each(withBares)} each`);
