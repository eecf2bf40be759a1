/** `node measure-noops.ts ours|official KUBECONFIG SECONDS`: how often a second an object is handled that is as it should be. */
import {
  type ControlledKind,
  createManager,
  done,
  httpApi,
  keyOf,
  loadConnection,
  type Outcome,
  parseKey,
  type Run,
  silentLog,
  type Trigger,
} from "kube-runtime";
import { type Gadget, gadgets } from "./gadget.ts";
import { officialGadgets } from "./official.ts";

const [, , subject, kubeconfig = "", seconds = "5"] = process.argv;
const count = { runs: 0 };

/** What is found: nothing to do. The same for both. */
async function check(object: object): Promise<void> {
  count.runs += 1;
  if (!("spec" in object)) throw new Error("a Gadget without a spec");
}

async function checked({ object }: Run<Gadget>): Promise<Outcome> {
  await check(object);
  return done();
}

/** The whole way: queue, worker, deadline, skeleton with three steps and conditions, comparison of the status. */
async function ours(): Promise<number> {
  const api = httpApi(await loadConnection({ kubeconfig }), { requestsPerSecond: 5000, burst: 5000 });
  const manager = createManager({ name: "bench", api, log: silentLog });
  const cache = manager.cacheFor(gadgets);
  const kind: ControlledKind<Gadget, Run<Gadget>> = {
    name: "no-op",
    resource: gadgets,
    conditions: ["Checked", "Placed", "Served"].map((type) => ({ type, reason: type, message: "it is as it should be" })),
    observe: async (run) => run,
    steps: [
      { name: "check", condition: "Checked", run: checked },
      { name: "place", condition: "Placed", run: async () => done() },
      { name: "serve", condition: "Served", run: async () => done() },
    ],
    phase: (conditions) => (conditions.every(({ status }) => status === "True") ? "Ready" : "Pending"),
  };
  const all: { enqueue: (key: string) => void } = { enqueue: () => undefined };
  const trigger: Trigger = {
    cacheName: "bench",
    waitForSync: async () => undefined,
    start: (enqueue) => {
      all.enqueue = (key) => enqueue(parseKey(key), "fresh");
      return () => undefined;
    },
  };
  manager.control(kind, { triggers: [trigger] });
  void manager.run(new AbortController().signal);
  await cache.waitForSync(AbortSignal.timeout(60_000));
  const objects = cache.list();
  const pass = async (): Promise<void> => {
    const until = count.runs + objects.length;
    for (const object of objects) all.enqueue(keyOf(object));
    while (count.runs < until) await new Promise((resolve) => setImmediate(resolve));
  };
  while (cache.list().some(({ status }) => status?.phase !== "Ready")) await new Promise((resolve) => setTimeout(resolve, 50));
  return rate(pass);
}

/** The informer has no queue and no skeleton: it is asked for each object, and the object is handled. */
async function official(): Promise<number> {
  const informer = officialGadgets(kubeconfig);
  await informer.start();
  const keys = informer.list().map(({ metadata }) => ({ name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" }));
  return rate(async () => {
    for (const { name, namespace } of keys) {
      const object = informer.get(name, namespace);
      if (object !== undefined) await check(object);
    }
  });
}

/** Passes over all objects, one to warm up. */
async function rate(pass: () => Promise<void>): Promise<number> {
  await pass();
  const [from, startedMs] = [count.runs, performance.now()];
  while (performance.now() - startedMs < Number(seconds) * 1000) await pass();
  return (count.runs - from) / ((performance.now() - startedMs) / 1000);
}

const usedBefore = process.cpuUsage();
const perSecond = subject === "ours" ? await ours() : await official();
const { user, system } = process.cpuUsage(usedBefore);
console.log(JSON.stringify({ subject, perSecond, cpuSeconds: (user + system) / 1e6 }));
process.exit(0);
