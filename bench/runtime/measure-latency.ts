/**
 * `node measure-latency.ts ours|official KUBECONFIG COUNT`: from the moment a change is sent to the moment it is handled.
 * Prints `ready`, then one JSON line after COUNT changes have been seen.
 */
import { hrtime } from "node:process";
import { createManager, httpApi, loadConnection, silentLog } from "kube-runtime";
import { gadgets, sentAt } from "./gadget.ts";
import { officialGadgets } from "./official.ts";

const [, , subject, kubeconfig = "", count = "100"] = process.argv;
const latencies: number[] = [];
const seen = new Set<string>();

function onChange(annotations: Readonly<Record<string, string>> | undefined): void {
  const sent = annotations?.[sentAt];
  if (sent === undefined || seen.has(sent)) return;
  seen.add(sent);
  latencies.push(Number(hrtime.bigint()) / 1e6 - Number(sent));
  if (latencies.length === Number(count)) report();
}

function report(): void {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  console.log(JSON.stringify({ subject, events: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: at(1) }));
  process.exit(0);
}

if (subject === "ours") {
  const manager = createManager({ name: "bench", api: httpApi(await loadConnection({ kubeconfig })), log: silentLog });
  const cache = manager.cacheFor(gadgets);
  const reconcile = async ({
    object,
  }: {
    readonly object: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } } | undefined;
  }): Promise<object> => {
    onChange(object?.metadata.annotations);
    return {};
  };
  manager.reconcileWith({ name: "latency", resource: gadgets, reconcile }, { concurrency: 4 });
  void manager.run(new AbortController().signal);
  await cache.waitForSync(AbortSignal.timeout(60_000));
} else {
  const informer = officialGadgets(kubeconfig);
  informer.on("update", ({ metadata }) => onChange(metadata?.annotations));
  await informer.start();
}
console.log("ready");
