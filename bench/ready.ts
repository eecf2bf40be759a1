/**
 * From apply to Ready of a PostgresVDB, beside a bare Deployment of the same image on an empty volume, in the same run.
 *
 *   node bench/ready.ts [runs=10]        on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests)
 *
 * Prints the median of each in seconds, their ratio, and the bytes of a fresh clone beside those of its source.
 */

import { cpus } from "node:os";
import { cloneBytes, eventually, type Kubectl, run, secretYaml, testCluster, text, vdbManifest } from "@vdb/cluster";
import { barePostgres } from "./bare-postgres.ts";
import { median } from "./median.ts";

const runs = Number(process.argv[2] ?? 10);
const kubectl = await testCluster();
const namespace = "pg-operator";

const database = { name: "postgres", user: "postgres", passwordSecretRef: "bench-password" };
const vdb = (name: string): string => vdbManifest({ name, namespace, spec: { database } });

/** Seconds from apply to the condition that `kubectl wait` watches for. */
async function seconds(manifest: string, wait: readonly string[]): Promise<number> {
  const from = performance.now();
  await kubectl.apply(manifest);
  await kubectl.run(["wait", "-n", namespace, ...wait, "--timeout=180s"]);
  return (performance.now() - from) / 1000;
}

const round = (value: number): string => value.toFixed(2);

async function bytesOf(name: string): Promise<string> {
  return await eventually("the engine knows the bytes", 30, async () => await sizes(kubectl, name));
}

async function sizes(from: Kubectl, name: string): Promise<string | undefined> {
  const object = await from.get("postgresvdb", name, namespace);
  const bytes = await cloneBytes(from, text(object, "status", "delphixID"));
  if (bytes === undefined) return undefined;
  return `${bytes.clone} bytes of its own, beside ${bytes.source} of its source (1 : ${Math.round(bytes.source / bytes.clone)})`;
}

await kubectl.apply(secretYaml(namespace, "bench-password", { password: "bench-only-1" }));
const took = { bare: [] as number[], vdb: [] as number[] };
let bytes = "";
// In turn, so that a drift of the machine's speed meets both.
for (let i = 0; i < runs; i += 1) {
  const names = { bare: `bench-bare-${i}`, vdb: `bench-vdb-${i}` };
  took.bare.push(await seconds(barePostgres(names.bare, namespace), ["--for=condition=Available", `deployment/${names.bare}`]));
  await kubectl.run(["delete", "deployment", names.bare, "-n", namespace, "--cascade=foreground"]);
  took.vdb.push(await seconds(vdb(names.vdb), ["--for=condition=Ready", `postgresvdb/${names.vdb}`]));
  if (i === 0) bytes = await bytesOf(names.vdb);
  await kubectl.run(["delete", "postgresvdb", names.vdb, "-n", namespace, "--timeout=120s"]);
  console.log(`run ${i + 1}: bare ${round(took.bare.at(-1) ?? 0)} s, VDB ${round(took.vdb.at(-1) ?? 0)} s`);
}
console.log(
  `machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${(await run("cat", ["/proc/loadavg"])).split(" ")[0]}`,
);
console.log(`bare Deployment, empty volume: median ${round(median(took.bare))} s of ${runs}`);
console.log(
  `PostgresVDB of a dSource:      median ${round(median(took.vdb))} s of ${runs}, ratio ${round(median(took.vdb) / median(took.bare))}`,
);
console.log(`clone: ${bytes}`);
