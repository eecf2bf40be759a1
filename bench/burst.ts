/**
 * Many PostgresVDBs applied at once, and what they cost when they stand: when the last is Ready, what the cluster writes for each of
 * them, requests that the API server has put off, the operators' memory, and writes at rest.
 *
 *   node bench/burst.ts [VDBs=20] [standing=50] [seconds=300]   on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests)
 *
 * Writes are the API server's own count; Events and Leases are left out. Beside it, in the same run, as many Deployments of the same
 * image on empty volumes.
 */
import { cpus } from "node:os";
import { setTimeout } from "node:timers/promises";
import { ensureNamespace, run, secretYaml, testCluster, vdbManifest } from "@vdb/cluster";
import { barePostgres } from "./bare-postgres.ts";
import { refusedRequests, writesBy } from "./many/api-metrics.ts";
import { list } from "./many/list.ts";
import { operatorMemory } from "./many/operator-memory.ts";

const [count, standing, seconds] = [process.argv[2] ?? 20, process.argv[3] ?? 50, process.argv[4] ?? 300].map(Number);
if (count === undefined || standing === undefined || seconds === undefined || !(count > 0 && standing >= count && seconds >= 0))
  throw new Error("usage: node bench/burst.ts [VDBs=20] [standing=50] [seconds=300]: no fewer standing than at once");
const kubectl = await testCluster();
const namespace = "burst";
const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `burst-${from + index}`);
const database = { name: "postgres", user: "postgres", passwordSecretRef: "bench-password" };
const resources = { requests: { cpu: "1m", memory: "32Mi" } };
const vdb = (name: string): string => vdbManifest({ name, namespace, spec: { database, resources } });
const bare = (name: string): string => barePostgres(name, namespace, resources);

/** Seconds from apply until the last one is there, and the writes of that time by resource. */
async function burst(manifests: readonly string[], objects: readonly string[], wanted: string) {
  const [before, from] = [await writesBy(kubectl), performance.now()];
  await kubectl.apply(list(manifests));
  await kubectl.run(["wait", "-n", namespace, `--for=condition=${wanted}`, ...objects, "--timeout=900s"]);
  const took = (performance.now() - from) / 1000;
  await setTimeout(2000);
  return { took, writes: since(await writesBy(kubectl), before) };
}

const since = (now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
  new Map([...now].map(([what, times]) => [what, times - (before.get(what) ?? 0)] as const).filter(([, times]) => times > 0));
const sum = (writes: ReadonlyMap<string, number>): number => [...writes.values()].reduce((all, one) => all + one, 0);
const most = (writes: ReadonlyMap<string, number>, each: number): string =>
  [...writes]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 12)
    .map(([what, times]) => `${what} ${(times / each).toFixed(1)}`)
    .join(", ");
const memory = (): string =>
  operatorMemory()
    .map((mib) => mib.toFixed(0))
    .join(" and ");

await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=900s"]); // of a run that was ended
await ensureNamespace(kubectl, namespace);
try {
  await kubectl.apply(secretYaml(namespace, "bench-password", { password: "bench-only-1" }));
  const refused = await refusedRequests(kubectl);
  const at = names(0, count);
  const bares = await burst(
    at.map(bare),
    at.map((name) => `deployment/${name}`),
    "Available",
  );
  await kubectl.run(["delete", "-n", namespace, "deployments", "--all", "--cascade=foreground", "--timeout=300s"]);
  const vdbs = await burst(
    at.map(vdb),
    at.map((name) => `postgresvdb/${name}`),
    "Ready",
  );
  const load = (await run("cat", ["/proc/loadavg"])).split(" ")[0];
  console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load}`);
  console.log(`${count} Deployments at once: the last is Available after ${bares.took.toFixed(1)} s`);
  console.log(`  ${(sum(bares.writes) / count).toFixed(1)} writes each: ${most(bares.writes, count)}`);
  console.log(
    `${count} PostgresVDBs at once: the last is Ready after ${vdbs.took.toFixed(1)} s, ratio ${(vdbs.took / bares.took).toFixed(2)}`,
  );
  console.log(`  ${(sum(vdbs.writes) / count).toFixed(1)} writes each: ${most(vdbs.writes, count)}`);
  console.log(`  requests that the API server has refused as too many: ${(await refusedRequests(kubectl)) - refused}`);
  if (standing > count) {
    const rest = names(count, standing);
    await burst(
      rest.map(vdb),
      rest.map((name) => `postgresvdb/${name}`),
      "Ready",
    );
  }
  // The bytes of each are told once the storage has counted them, minutes after it is Ready.
  const counted = ["--for=jsonpath={.status.ownBytes}", "postgresvdb", "--all", "--timeout=900s"];
  await kubectl.run(["wait", "-n", namespace, ...counted]);
  await setTimeout(10_000);
  const before = await writesBy(kubectl);
  await setTimeout(seconds * 1000);
  const atRest = since(await writesBy(kubectl), before);
  console.log(
    `${standing} stand: the operators' memory ${memory()} MiB; ${sum(atRest)} writes in ${seconds} s: ${most(atRest, 1)}`,
  );
} finally {
  await kubectl.run(["delete", "namespace", namespace, "--timeout=900s"]);
}
