/**
 * How soon volumes come, and how fast they are written, beside hostPath volumes in the same run.
 *
 *   node bench/volumes.ts [runs=30] [pairs=15]     on the cluster of CLUSTER_NAME, after node e2e/install.ts (docs/development.md, Tests)
 *
 * Prints p50 and p95 in seconds: claim → Bound, pod → running on it, VolumeSnapshot → ready to use. Then for each pair the seconds
 * that two claims of one node, written at once, take for what two plain folders of the same pool take, and the median of the ratios.
 */

import { cpus } from "node:os";
import { ensureNamespace, inNode, type Kubectl, run, testCluster } from "@vdb/cluster";
import { poolDir } from "../e2e/pool.ts";
import { claim as claimOf, type Manifest, snapshot, together } from "../e2e/volumes/manifests.ts";
import { median, percentile } from "./median.ts";

const [runs, pairs] = [Number(process.argv[2] ?? 30), Number(process.argv[3] ?? 15)];
const namespace = "bench-volumes";
const kubectl: Kubectl = await testCluster();

const apply = async (objects: readonly Manifest[]): Promise<string> => await kubectl.apply(together(objects));

/** Without a volume: from the class; with one: that hostPath volume. */
const claim = (name: string, volumeName?: string): Manifest =>
  claimOf(name, { namespace, spec: volumeName === undefined ? {} : { storageClassName: "", volumeName } });

const hostPathVolume = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "",
    hostPath: { path: `/tmp/${name}`, type: "DirectoryOrCreate" },
  },
});

/** A pod that mounts each volume under its name. */
const pod = (name: string, volumes: readonly Manifest[]): Manifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsUser: 999, runAsGroup: 999 },
    containers: [
      {
        name: "main",
        image: "postgres:16.2",
        command: ["/bin/bash", "-c", "trap 'exit 0' TERM; sleep infinity & wait"],
        volumeMounts: volumes.map((volume) => ({ name: volume["name"], mountPath: `/mnt/${String(volume["name"])}` })),
      },
    ],
    volumes,
  },
});
const folder = (name: string, path = ""): Manifest => ({ name, hostPath: { path } });
const ofClaim = (name: string, claimName: string): Manifest => ({ name, persistentVolumeClaim: { claimName } });

async function secondsUntil(objects: readonly Manifest[], wait: readonly string[]): Promise<number> {
  const from = performance.now();
  await apply(objects);
  await kubectl.run(["wait", "-n", namespace, ...wait, "--timeout=180s"]);
  return (performance.now() - from) / 1000;
}
const bound = (name: string): readonly string[] => ["--for=jsonpath={.status.phase}=Bound", `pvc/${name}`];
const ready = (name: string): readonly string[] => ["--for=condition=Ready", `pod/${name}`];

const percentiles = (all: readonly number[]): string =>
  `p50 ${median(all).toFixed(2)} s, p95 ${percentile(all, 0.95).toFixed(2)} s of ${all.length}`;

async function measureTimes(): Promise<void> {
  const took = { bound: [], mounted: [], snapshot: [], hostBound: [], hostMounted: [] } as Record<string, number[]>;
  const note = (what: string, seconds: number): void => void took[what]?.push(seconds);
  // In turn, so that a drift of the machine's speed meets both.
  for (let nth = 0; nth < runs; nth += 1) {
    const [own, host] = [`own-${nth}`, `host-${nth}`];
    note("bound", await secondsUntil([claim(own)], bound(own)));
    note("mounted", await secondsUntil([pod(own, [ofClaim("data", own)])], ready(own)));
    const taken = [snapshot(own, namespace, own)];
    note("snapshot", await secondsUntil(taken, ["--for=jsonpath={.status.readyToUse}=true", `volumesnapshot/${own}`]));
    await kubectl.run(["delete", `volumesnapshot/${own}`, `pod/${own}`, `pvc/${own}`, "-n", namespace, "--timeout=120s"]);
    note("hostBound", await secondsUntil([hostPathVolume(host), claim(host, host)], bound(host)));
    note("hostMounted", await secondsUntil([pod(host, [ofClaim("data", host)])], ready(host)));
    await kubectl.run(["delete", `pod/${host}`, `pvc/${host}`, "-n", namespace, "--timeout=120s"]);
    await kubectl.run(["delete", `pv/${host}`, "--timeout=120s"]);
  }
  console.log(`claim → Bound:             ${percentiles(took["bound"] ?? [])}; hostPath ${percentiles(took["hostBound"] ?? [])}`);
  console.log(
    `pod → running on it:       ${percentiles(took["mounted"] ?? [])}; hostPath ${percentiles(took["hostMounted"] ?? [])}`,
  );
  console.log(`VolumeSnapshot → ready:    ${percentiles(took["snapshot"] ?? [])}`);
}

/** Seconds for 48 MiB into each of two folders at once, down to the disk. */
async function write(folders: readonly [string, string]): Promise<number> {
  const script = `rm -f ${folders.map((one) => `${one}/bench`).join(" ")}; sync; s=$(date +%s%N)
for f in ${folders.join(" ")}; do dd if=/dev/shm/bytes of=$f/bench bs=1M conv=fsync status=none & done; wait
echo $(($(date +%s%N) - s))`;
  return Number(await kubectl.run(["exec", "-n", namespace, "writer", "--", "/bin/bash", "-c", script])) / 1e9;
}

async function measureWriting(): Promise<void> {
  const plain = ["bench-plain-a", "bench-plain-b"].map((name) => `${poolDir}/${name}`);
  await inNode(["install", "-d", "-o", "999", "-g", "999", ...plain]);
  try {
    const volumes = [ofClaim("a", "write-a"), ofClaim("b", "write-b"), folder("plain-a", plain[0]), folder("plain-b", plain[1])];
    await apply([claim("write-a"), claim("write-b"), pod("writer", volumes)]);
    await kubectl.run(["wait", "-n", namespace, ...ready("writer"), "--timeout=180s"]);
    await kubectl.run([
      "exec",
      "-n",
      namespace,
      "writer",
      "--",
      "dd",
      "if=/dev/urandom",
      "of=/dev/shm/bytes",
      "bs=1M",
      "count=48",
      "status=none",
    ]);
    const ratios = [];
    for (let nth = 0; nth < pairs; nth += 1) {
      const claims = (): Promise<number> => write(["/mnt/a/data", "/mnt/b/data"]);
      const folders = (): Promise<number> => write(["/mnt/plain-a", "/mnt/plain-b"]);
      // Which one is first changes, because the second one finds the disk busy with the first one's.
      const [own, theirs] = nth % 2 === 0 ? [await claims(), await folders()] : [await folders(), await claims()].toReversed();
      ratios.push((theirs ?? Number.NaN) / (own ?? Number.NaN));
      console.log(`pair ${nth + 1}: claims ${own?.toFixed(2)} s, plain folders ${theirs?.toFixed(2)} s`);
    }
    console.log(`speed of two claims, two plain folders = 1: median ${median(ratios).toFixed(2)} of ${pairs}`);
  } finally {
    await kubectl.run(["delete", "pod/writer", "-n", namespace, "--ignore-not-found", "--timeout=120s"]);
    await inNode(["rm", "-r", ...plain]);
  }
}

await ensureNamespace(kubectl, namespace);
try {
  await measureTimes();
  await measureWriting();
  const load = (await run("cat", ["/proc/loadavg"])).split(" ")[0];
  console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, load ${load}`);
} finally {
  await kubectl.run(["delete", "namespace", namespace, "--timeout=240s"]);
}
