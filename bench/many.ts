/**
 * What many PostgresVDBs cost that nobody has switched on: how long they take to settle, the memory of the operator that leads, writes
 * at rest, and how long their namespace takes to go. Beside each, in the same run, as many Deployments with `replicas: 0`.
 *
 *   node bench/many.ts [VDBs=1000] [seconds=60]   on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests)
 */
import { cpus } from "node:os";
import { setTimeout } from "node:timers/promises";
import { ensureNamespace, eventually, run, secretYaml, testCluster, vdbManifest } from "@vdb/cluster";
import { barePostgres } from "./bare-postgres.ts";
import { writesBy } from "./many/api-metrics.ts";
import { list } from "./many/list.ts";
import { operatorMemory } from "./many/operator-memory.ts";

const count = Number(process.argv[2] ?? 1000);
const seconds = Number(process.argv[3] ?? 60);
const kubectl = await testCluster();
const [switchedOff, bare] = ["many-vdbs", "many-bare"];
const since = (from: number): number => (performance.now() - from) / 1000;
const names = Array.from({ length: count }, (_, index) => `many-${index}`);

/** Seconds from the last one's creation until each has settled. */
async function settle(items: readonly string[], namespace: string, kind: string, field: string, wanted: string): Promise<number> {
  await kubectl.run(["create", "-f", "-"], { input: list(items) });
  const from = performance.now();
  await eventually(`${count} of ${kind} have settled`, 900, async () => {
    const { stdout } = await kubectl.try(["get", kind, "-n", namespace, "-o", `jsonpath={range .items[*]}${field}{"\\n"}{end}`]);
    const settled = stdout.split("\n").filter((line) => line === wanted).length;
    return settled === count ? true : Promise.reject(new Error(`${settled} have`));
  });
  return since(from);
}

async function goneAfter(namespace: string): Promise<number> {
  const from = performance.now();
  await kubectl.run(["delete", "namespace", namespace, "--timeout=900s"]);
  return since(from);
}

/** Writes of PostgresVDBs and their status that the API server has served so far. */
async function writes(): Promise<number> {
  return [...(await writesBy(kubectl))]
    .filter(([what]) => what.split("/")[0] === "postgresvdbs")
    .reduce((all, [, times]) => all + times, 0);
}

const text = (numbers: readonly number[]): string => numbers.map((number) => number.toFixed(0)).join(" and ");

await kubectl.run(["delete", "namespace", switchedOff, bare, "--ignore-not-found", "--timeout=900s"]); // of a run that was ended
for (const namespace of [switchedOff, bare]) await ensureNamespace(kubectl, namespace);
await kubectl.apply(secretYaml(switchedOff, "bench-password", { password: "bench-only-1" }));
const database = { name: "postgres", user: "postgres", passwordSecretRef: "bench-password" };
const vdbs = names.map((name) => vdbManifest({ name, namespace: switchedOff, spec: { database, enabled: false } }));
const bares = names.map((name) => barePostgres(name, bare).replace('"spec":{', '"spec":{"replicas":0,'));
const before = operatorMemory();
const settled = await settle(vdbs, switchedOff, "postgresvdbs", "{.status.phase}", "Stopped");
await setTimeout(5000);
const [from, during] = [await writes(), operatorMemory()];
await setTimeout(seconds * 1000);
const atRest = (await writes()) - from;
const bareSettled = await settle(bares, bare, "deployments", "{.status.observedGeneration}", "1");
const gone = await goneAfter(switchedOff);
const bareGone = await goneAfter(bare);
console.log(
  `machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${(await run("cat", ["/proc/loadavg"])).split(" ")[0]}`,
);
console.log(
  `${count} PostgresVDBs, enabled: false: settled ${settled.toFixed(0)} s after the last was created, Deployments ${bareSettled.toFixed(0)} s`,
);
console.log(
  `the operators' memory: ${text(before)} MiB before, ${text(during)} MiB with them; ${atRest} writes in ${seconds} s at rest`,
);
console.log(`their namespace is gone after ${gone.toFixed(0)} s, the Deployments' after ${bareGone.toFixed(0)} s`);
