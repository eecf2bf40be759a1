/**
 * The operator's own part of a VDBRefresh, a VDBRewind and twenty databases at once, and what it writes: on a real API server, with a DCT, a kubelet and a
 * PostgreSQL that are played and answer at once. What it prints is an upper bound: the played ones need some of it.
 *
 *   node bench/own-time.ts [runs=30]
 *
 * Prints p50 and p95 from the action's creation to Completed, the API server's writes per action (Events not counted), and beside
 * them, in the same run, how long as many writes take that one client makes one after the other.
 */
import { setTimeout } from "node:timers/promises";
import { resourceOf, vdbRefresh, vdbRewind } from "@vdb/api";
import {
  applyVdb,
  fakeDct,
  forever,
  isReady,
  makePassword,
  newNamespace,
  playCluster,
  startBench,
  startOperator,
  until,
  untilVdb,
} from "@vdb/operator/testing";
import { type ApiCall, configMaps, interceptApi } from "kube-runtime";
import { median, percentile } from "./median.ts";

const runs = Number(process.argv[2] ?? 30);
if (!Number.isInteger(runs) || runs < 1) throw new Error("usage: node bench/own-time.ts [runs=30], a whole number from 1");

const isWrite = ({ verb, resource }: ApiCall): boolean =>
  !["get", "list", "watch"].includes(verb) && resource.plural !== "events";

await using stack = new AsyncDisposableStack();
const bench = stack.use(await startBench());
const written = { count: 0 };
const counted = interceptApi(bench.api, {
  call: async (call, next) => {
    if (isWrite(call)) written.count += 1;
    return await next();
  },
});
stack.use(startOperator(counted, fakeDct(0)));
const namespace = "own-time";
const { client } = bench;
await newNamespace(client, namespace);
await makePassword(client, namespace);
stack.use(playCluster(client, namespace, 2));
await applyVdb(client, namespace, "orders");
await untilVdb(client, namespace, "orders", isReady);

/** Milliseconds from its creation to its end, and the writes until the database is Ready again. */
async function act(kind: typeof vdbRefresh | typeof vdbRewind, name: string, spec: object) {
  const resource = resourceOf(kind);
  const before = written.count;
  const from = performance.now();
  const action = { metadata: { name, namespace }, spec: { vdbRef: { name: "orders" }, ...spec } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
  await client.create(resource, action as never, forever);
  let ms = Number.NaN;
  await until(`${kind.kind} ${name} is Completed`, async () => {
    const { status } = await client.get(resource, { namespace, name }, forever);
    if (status.phase === "Error") throw new Error(JSON.stringify(status));
    if (status.phase !== "Completed") throw new Error(status.phase ?? "no phase");
    ms = performance.now() - from;
    return true;
  });
  await untilVdb(client, namespace, "orders", isReady);
  return { ms, writes: written.count - before };
}

/** As many writes, one after the other, as one client makes them. */
async function plainWrites(count: number): Promise<number> {
  const from = performance.now();
  for (let index = 0; index < count; index += 1)
    await client.apply(
      configMaps,
      { metadata: { name: "plain", namespace }, data: { at: String(performance.now()) } },
      { fieldManager: "bench", force: true },
      forever,
    );
  return performance.now() - from;
}

const took = { refresh: [] as number[], rewind: [] as number[], plain: [] as number[] };
const writes = { refresh: [] as number[], rewind: [] as number[] };
await act(vdbRefresh, "warm-up", {}); // from here on there is previous data
for (let index = 0; index < runs; index += 1) {
  const refresh = await act(vdbRefresh, `refresh-${index}`, {});
  const rewind = await act(vdbRewind, `rewind-${index}`, { snapshotRef: { type: "previous" } });
  took.refresh.push(refresh.ms);
  took.rewind.push(rewind.ms);
  writes.refresh.push(refresh.writes);
  writes.rewind.push(rewind.writes);
  took.plain.push(await plainWrites(refresh.writes));
}

const together = 20;
const before = written.count;
const from = performance.now();
const databases = Array.from({ length: together }, (_, index) => `burst-${index}`);
for (const name of databases) await applyVdb(client, namespace, name);
for (const name of databases) await untilVdb(client, namespace, name, isReady, 60);
const ms = performance.now() - from;
await setTimeout(1000);
const each = (written.count - before) / together;

for (const name of ["refresh", "rewind"] as const)
  console.log(
    `${name}: p50 ${median(took[name]).toFixed(0)} ms, p95 ${percentile(took[name], 0.95).toFixed(0)} ms, ${median(writes[name])} writes; ` +
      `as many plain writes ${median(took.plain).toFixed(0)} ms`,
  );
console.log(`${together} databases applied at once: the last is Ready after ${ms.toFixed(0)} ms; ${each} writes each`);
