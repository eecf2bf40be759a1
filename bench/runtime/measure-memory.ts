/** `node --expose-gc measure-memory.ts ours|official KUBECONFIG COUNT`: time to read COUNT Pods, and the heap that they take. */
import { createManager, httpApi, loadConnection, pods, silentLog } from "kube-runtime";
import { officialPods } from "./official.ts";

const [, , subject, kubeconfig = "", count = "0"] = process.argv;

function heapAfterCollection(): number {
  for (let at = 0; at < 4; at += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

interface Read {
  readonly size: () => number;
  /** Keeps everything alive until the end. */
  readonly objects: () => readonly unknown[];
}

async function readOurs(): Promise<Read> {
  const manager = createManager({ name: "bench", api: httpApi(await loadConnection({ kubeconfig })), log: silentLog });
  const cache = manager.cacheFor(pods, { indexes: { app: ({ metadata }) => [metadata.labels?.["app"] ?? ""] } });
  void manager.run(new AbortController().signal);
  await cache.waitForSync(AbortSignal.timeout(600_000));
  return { size: () => cache.list().length, objects: () => cache.list() };
}

async function readOfficial(): Promise<Read> {
  const informer = officialPods(kubeconfig);
  await informer.start();
  return { size: () => informer.list().length, objects: () => informer.list() };
}

// Both subjects have loaded the same modules here, so the difference is what the objects take.
const before = heapAfterCollection();
const cpuBefore = process.cpuUsage();
const startedMs = performance.now();
const read = subject === "ours" ? await readOurs() : await readOfficial();
const syncMs = performance.now() - startedMs;
const { user, system } = process.cpuUsage(cpuBefore);
const syncCpuMs = (user + system) / 1000;
if (read.size() !== Number(count)) throw new Error(`${read.size()} Pods were read, not ${count}`);
const heapBytes = heapAfterCollection() - before;
const rssBytes = process.memoryUsage.rss();
const jsonBytes = read
  .objects()
  .reduce<number>(
    (sum, object) => sum + JSON.stringify(object, (key, value: unknown) => (key === "managedFields" ? undefined : value)).length,
    0,
  );
console.log(
  JSON.stringify({
    subject,
    count: read.size(),
    syncMs,
    syncCpuMs,
    heapBytes,
    jsonBytes,
    ratio: heapBytes / jsonBytes,
    rssBytes,
  }),
);
process.exit(0);
