/**
 * How long clients get no answer while a VDBRefresh or a VDBRewind replaces a database's data, beside a stop and start of a plain
 * Deployment on a copy of its volume, in the same run.
 *
 *   node bench/downtime.ts [runs=30] [source=dct-source]
 *
 * on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests). With the source pvc-clone the database and
 * its new data are copies of another database's claim, by plain CSI.
 *
 * A client asks 20 times a second through the Service, each time over a new connection. A downtime goes from the last answer of the
 * old server to the first of the new one. Prints the median of each in seconds, and the ratio of each to the plain Deployment's.
 */
import { cpus } from "node:os";
import { eventually, run, secretYaml, testCluster, text, vdbManifest } from "@vdb/cluster";
import { ask, type Target } from "./downtime/asker.ts";
import { bareCopy } from "./downtime/bare-copy.ts";
import { gap } from "./downtime/gap.ts";
import { median } from "./median.ts";

const runs = Number(process.argv[2] ?? 30);
const source = process.argv[3] ?? "dct-source";
if (!Number.isInteger(runs) || runs < 1 || !["dct-source", "pvc-clone"].includes(source))
  throw new Error("usage: node bench/downtime.ts [runs=30] [source=dct-source]: a whole number from 1; dct-source or pvc-clone");
const kubectl = await testCluster();
const namespace = "pg-operator";
const [vdb, bare, snapshot, origin] = ["downtime-vdb", "downtime-bare", "downtime-snapshot", "downtime-origin"];
const password = "bench-only-1";
const at = (name: string): Target => ({ host: `${name}.${namespace}.svc`, port: 5432, password });

/** Seconds without an answer while `change` replaces the server; waits until the new one answers. */
async function downtime(target: Target, change: () => Promise<void>): Promise<number> {
  await using asker = ask(kubectl, target);
  await eventually(`${target.host} answers`, 60, async () => Promise.resolve(asker.answers.length > 5 ? true : undefined));
  await change();
  return await eventually(`a new server of ${target.host} answers`, 120, async () => Promise.resolve(gap(asker.answers)));
}

async function act(kind: string, name: string, spec: object = {}): Promise<void> {
  const metadata = { name, namespace };
  const action = { apiVersion: "actions.delphix.com/v1alpha1", kind, metadata, spec: { vdbRef: { name: vdb }, ...spec } };
  await kubectl.apply(JSON.stringify(action));
  await eventually(`${kind} ${name} has completed`, 240, async () => {
    const found = await kubectl.get(kind.toLowerCase(), name, namespace);
    return text(found, "status", "phase") === "Completed" ? true : Promise.reject(new Error(text(found, "status", "lastError")));
  });
  await kubectl.run(["wait", "-n", namespace, "--for=condition=Ready", `postgresvdb/${vdb}`, "--timeout=120s"]);
}

async function stopAndStart(): Promise<void> {
  const scale = async (replicas: number): Promise<void> =>
    void (await kubectl.run(["scale", `deployment/${bare}`, `--replicas=${replicas}`, "-n", namespace]));
  await scale(0);
  await kubectl.run(["wait", "-n", namespace, "--for=delete", "pod", "-l", `app=${bare}`, "--timeout=120s"]);
  await scale(1);
}

async function setUp(): Promise<void> {
  await kubectl.apply(secretYaml(namespace, "bench-password", { password }));
  const database = { name: "postgres", user: "postgres", passwordSecretRef: "bench-password" };
  const ready = async (name: string, spec: object): Promise<string> => {
    await kubectl.apply(vdbManifest({ name, namespace, spec: { database, ...spec } }));
    await kubectl.run(["wait", "-n", namespace, "--for=condition=Ready", `postgresvdb/${name}`, "--timeout=180s"]);
    return text(await kubectl.get("postgresvdb", name, namespace), "status", "pvcName");
  };
  const copied = async (): Promise<object> => ({ source: { type: source, reference: await ready(origin, {}) } });
  const claim = await ready(vdb, source === "dct-source" ? {} : await copied());
  await act("VDBSnapshot", snapshot);
  await kubectl.apply(bareCopy(bare, namespace, { kind: "PersistentVolumeClaim", name: claim }));
  await kubectl.run(["rollout", "status", `deployment/${bare}`, "-n", namespace, "--timeout=180s"]);
}

async function cleanUp(): Promise<void> {
  const ours = Array.from({ length: runs }, (_, i) => [`vdbrefresh/downtime-${i}`, `vdbrewind/downtime-${i}`]).flat();
  const rest = [
    `vdbsnapshot/${snapshot}`,
    `volumesnapshot/${snapshot}`,
    ...["deployment", "service", "pvc"].map((kind) => `${kind}/${bare}`),
  ];
  for (const some of [ours, rest, [`postgresvdb/${vdb}`, `postgresvdb/${origin}`]])
    await kubectl.run(["delete", ...some, "-n", namespace, "--ignore-not-found", "--timeout=240s"]);
}

const took = { bare: [] as number[], refresh: [] as number[], rewind: [] as number[] };
const snapshotRef = { type: "volume-snapshot", name: snapshot };
await cleanUp(); // of a run that was ended
try {
  await setUp();
  // In turn, so that a drift of the machine's speed meets all.
  for (let i = 0; i < runs; i += 1) {
    const name = `downtime-${i}`;
    took.bare.push(await downtime(at(bare), stopAndStart));
    took.refresh.push(await downtime(at(vdb), async () => await act("VDBRefresh", name)));
    took.rewind.push(await downtime(at(vdb), async () => await act("VDBRewind", name, { snapshotRef })));
    const [last, ...others] = [took.bare, took.refresh, took.rewind].map((all) => (all.at(-1) ?? Number.NaN).toFixed(2));
    console.log(`run ${i + 1}: stop and start ${last} s, refresh ${others[0]} s, rewind ${others[1]} s`);
  }
} finally {
  await cleanUp();
}

const load = (await run("cat", ["/proc/loadavg"])).split(" ")[0];
console.log(`source: ${source}`);
console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load}`);
const baseline = median(took.bare);
console.log(`plain Deployment, stop and start: median ${baseline.toFixed(2)} s of ${runs}`);
for (const what of ["refresh", "rewind"] as const) {
  const middle = median(took[what]);
  console.log(`${what.padEnd(32)}: median ${middle.toFixed(2)} s of ${runs}, ratio ${(middle / baseline).toFixed(2)}`);
}
