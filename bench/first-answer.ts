/**
 * From apply to the first SQL answer through the Service: databases of three sources beside plain Deployments on plain CSI copies of
 * the same data, and a pod that sleeps, in the same run.
 *
 *   node bench/first-answer.ts [runs=30] [GiB=1] [sources=dct-source,pvc-clone,k8s-snapshot]
 *
 * on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests). It fills the production database up to that
 * size and leaves it so: take a cluster that nobody needs afterwards.
 *
 * A client asks 20 times a second, each time over a new connection, from the moment the Service has its address. Prints the median of
 * each in seconds, its ratio to each baseline, and when the steps of one more database of the first source came.
 */
import { cpus } from "node:os";
import { setTimeout } from "node:timers/promises";
import {
  ensureNamespace,
  eventually,
  productionSql,
  run,
  secretYaml,
  takeSourceSnapshot,
  testCluster,
  text,
  vdbManifest,
} from "@vdb/cluster";
import { ofSnapshot, snapshot } from "../e2e/volumes/manifests.ts";
import { ask } from "./downtime/asker.ts";
import { bareCopy } from "./downtime/bare-copy.ts";
import { watchSteps } from "./first-answer/watch-steps.ts";
import { median } from "./median.ts";

const all = ["dct-source", "pvc-clone", "k8s-snapshot"];
const [runs, gib, sources] = [
  Number(process.argv[2] ?? 30),
  Number(process.argv[3] ?? 1),
  (process.argv[4] ?? all.join()).split(","),
];
if (!Number.isInteger(runs) || runs < 1 || !(gib > 0) || !sources.every((one) => all.includes(one)))
  throw new Error(`usage: node bench/first-answer.ts [runs=30] [GiB=1] [sources=${all.join()}]`);
const kubectl = await testCluster();
const [namespace, origin, password] = ["first-answer", "origin", "bench-only-1"];

/** As many rows of a kilobyte as are missing: too short for PostgreSQL to compress them. */
async function fillProduction(): Promise<void> {
  const missing = `greatest(0, ceil((${gib}::numeric * 1024 ^ 3 - pg_database_size(current_database())) / 1100))::int`;
  await productionSql(
    kubectl,
    `CREATE TABLE IF NOT EXISTS bench_filler (id int, words text);
     INSERT INTO bench_filler SELECT n, repeat(md5(n::text), 32) FROM generate_series(1, (SELECT ${missing})) n; CHECKPOINT;`,
  );
  await takeSourceSnapshot(kubectl, 3600);
}

async function untilReady(name: string): Promise<string> {
  await kubectl.run(["wait", "-n", namespace, "--for=condition=Ready", `postgresvdb/${name}`, "--timeout=600s"]);
  return text(await kubectl.get("postgresvdb", name, namespace), "status", "pvcName");
}

async function takeSnapshot(name: string, claim: string): Promise<void> {
  await kubectl.apply(JSON.stringify(snapshot(name, namespace, claim)));
  const wait = ["--for=jsonpath={.status.readyToUse}=true", `volumesnapshot/${name}`, "--timeout=180s"];
  await kubectl.run(["wait", "-n", namespace, ...wait]);
}

/** Seconds from apply to the first answer through the Service of that name. */
async function firstAnswer(name: string, manifest: string): Promise<number> {
  const from = Date.now();
  await kubectl.apply(manifest);
  // By its address: the cluster's DNS remembers for seconds that a name was not there.
  const host = await eventually(`Service ${name} has an address`, 300, async () => {
    const address = text(await kubectl.get("service", name, namespace), "spec", "clusterIP");
    return address === "" ? undefined : address;
  });
  await using asker = ask(kubectl, { host, port: 5432, password });
  return await eventually(`${name} answers`, 600, async () => {
    const [first] = asker.answers;
    return await Promise.resolve(first === undefined ? undefined : first.at - from / 1000);
  });
}

async function sleepingPod(name: string): Promise<number> {
  const securityContext = { runAsUser: 999, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  const container = { name: "main", image: "postgres:16.2", command: ["sleep", "3600"], securityContext: restricted };
  const spec = { terminationGracePeriodSeconds: 0, securityContext, containers: [container] };
  const from = performance.now();
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, spec }));
  await kubectl.run(["wait", "-n", namespace, "--for=condition=Ready", `pod/${name}`, "--timeout=180s"]);
  return (performance.now() - from) / 1000;
}

const database = { name: "postgres", user: "postgres", passwordSecretRef: "bench-password" };
const vdb = (name: string, spec: object): string => vdbManifest({ name, namespace, spec: { database, ...spec } });
const remove = async (...objects: readonly string[]): Promise<void> =>
  void (await kubectl.run(["delete", ...objects, "-n", namespace, "--timeout=240s"]));
const round = (value: number): string => value.toFixed(2);

await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=600s"]); // of a run that was ended
await ensureNamespace(kubectl, namespace);
try {
  await fillProduction();
  await kubectl.apply(secretYaml(namespace, "bench-password", { password }));
  const postgresConfig = [
    { name: "checkpoint_timeout", value: "1h" },
    { name: "max_wal_size", value: "8GB" },
  ];
  // Without checkpoints of its own, so that a copy of the busy moment has all of the load to recover.
  await kubectl.apply(vdb(origin, { postgresConfig }));
  const claim = await untilReady(origin);
  const storage = text(await kubectl.get("pvc", claim, namespace), "status", "capacity", "storage");
  const inOrigin = async (...command: readonly string[]): Promise<void> =>
    void (await kubectl.run(["exec", "-n", namespace, `deploy/${origin}`, "--", ...command]));
  await inOrigin("psql", "-qXAt", "-c", "CHECKPOINT");
  await takeSnapshot("checkpointed", claim);
  await inOrigin("pgbench", "-n", "-T", "20", "-c", "4", "postgres");
  await takeSnapshot("busy", claim);
  await inOrigin("psql", "-qXAt", "-c", "CHECKPOINT");

  const references: Record<string, string> = { "pvc-clone": claim, "k8s-snapshot": "checkpointed" };
  const specOf = (source: string): object =>
    source === "dct-source" ? {} : { source: { type: source, reference: references[source] } };
  const baselines = ["checkpointed", "busy", "pod"];
  const took = new Map([...sources, ...baselines].map((what) => [what, [] as number[]]));
  const measure: Record<string, (what: string, name: string) => Promise<number>> = {
    copy: async (what, name) => await firstAnswer(name, bareCopy(name, namespace, ofSnapshot(what), storage)),
    vdb: async (what, name) => await firstAnswer(name, vdb(name, specOf(what))),
    pod: async (_, name) => await sleepingPod(name),
  };
  // In turn, so that a drift of the machine's speed meets all.
  for (let nth = 1; nth <= runs; nth += 1) {
    for (const [what, seconds] of took) {
      const [name, kind] = [`${what}-${nth}`, what === "pod" ? "pod" : sources.includes(what) ? "vdb" : "copy"];
      seconds.push((await measure[kind]?.(what, name)) ?? Number.NaN);
      if (kind === "copy") {
        await remove(`deployment/${name}`, "--cascade=foreground");
        await remove(`service/${name}`, `pvc/${name}`);
      } else await remove(`${kind === "vdb" ? "postgresvdb" : kind}/${name}`);
      await setTimeout(2000); // kube-proxy acts once a second at most: what was deleted delays nothing of what is made next
    }
    console.log(
      `run ${nth}: ${[...took].map(([what, seconds]) => `${what} ${round(seconds.at(-1) ?? Number.NaN)} s`).join(", ")}`,
    );
  }
  const load = (await run("cat", ["/proc/loadavg"])).split(" ")[0];
  console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load}; ${gib} GiB`);
  const middle = (what: string): number => median(took.get(what) ?? []);
  console.log(
    `plain Deployment on a copy, checkpointed: ${round(middle("checkpointed"))} s, busy: ${round(middle("busy"))} s; ` +
      `a pod that sleeps: ${round(middle("pod"))} s; medians of ${runs}`,
  );
  for (const source of sources) {
    const ratios = baselines.map((baseline) => `${round(middle(source) / middle(baseline))} × ${baseline}`);
    console.log(`${source.padEnd(12)}: ${round(middle(source))} s, ${ratios.join(", ")}`);
  }
  const [source = "dct-source"] = sources;
  await using steps = watchSteps(kubectl, namespace, "steps");
  const from = Date.now();
  const answered = await firstAnswer("steps", vdb("steps", specOf(source)));
  for (const { what, at } of [...(await steps.seen()), { what: "first answer", at: from + answered * 1000 }])
    console.log(`  ${String(Math.round(at - from)).padStart(6)} ms  ${what}`);
} finally {
  await kubectl.run(["delete", "namespace", namespace, "--timeout=600s"]);
}
