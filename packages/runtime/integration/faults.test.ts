import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Client, configMaps, createClient, type HttpApi, httpApi, namespaces } from "../src/index.ts";
import {
  type FaultProxy,
  type ProxiedRequest,
  startApiServer,
  startFaultProxy,
  type TestApiServer,
} from "../src/testing/index.ts";
import { type Informer, officialInformer, ourInformer } from "./testing/informers.ts";

/**
 * Faults on the way to a real API server, and how long until the next change is seen; the official informer beside it. The bounds
 * are those of docs/figures.md, and are reported: on a busy machine a change may be late, but never missed.
 */

const patienceMs = 120_000;

let server: TestApiServer;
let api: HttpApi;
let client: Client;
const signal = AbortSignal.timeout(1_000_000);

before(async () => {
  server = await startApiServer();
  api = httpApi(server.connection);
  client = createClient(api, { fieldManager: "test" });
});
after(async () => {
  await api?.close();
  await server?.[Symbol.asyncDispose]();
});

/** The two informers, each behind a proxy of its own with the same faults at the same time. */
interface Pair extends AsyncDisposable {
  readonly namespace: string;
  readonly proxies: readonly FaultProxy[];
  readonly ours: Informer;
  readonly official: Informer;
  readonly ourProxy: FaultProxy;
}

async function startPair(name: string): Promise<Pair> {
  const namespace = `faults-${name}`;
  await client.create(namespaces, { metadata: { name: namespace } }, signal);
  const [ourProxy, officialProxy] = [await startFaultProxy(server.connection), await startFaultProxy(server.connection)];
  const ours = await ourInformer(ourProxy, namespace);
  const official = await officialInformer(officialProxy, namespace);
  await create(namespace, "before");
  await seenWithin(ours, "before", patienceMs);
  await seenWithin(official, "before", patienceMs);
  return {
    namespace,
    proxies: [ourProxy, officialProxy],
    ours,
    official,
    ourProxy,
    [Symbol.asyncDispose]: async () => {
      await ours[Symbol.asyncDispose]();
      await official[Symbol.asyncDispose]();
      await ourProxy[Symbol.asyncDispose]();
      await officialProxy[Symbol.asyncDispose]();
    },
  };
}

const create = (namespace: string, name: string): Promise<unknown> =>
  client.create(configMaps, { metadata: { namespace, name } }, signal);

/** Milliseconds until the informer has the object; undefined when it does not come in time. */
async function seenWithin(informer: Informer, name: string, boundMs: number): Promise<number | undefined> {
  const from = performance.now();
  while (performance.now() - from < boundMs) {
    if (informer.has(name)) return Math.round(performance.now() - from);
    await delay(5);
  }
  return undefined;
}

interface Fault {
  readonly name: string;
  readonly boundMs: number;
  readonly strike: (pair: Pair) => Promise<void>;
}

/** The next watches are answered so; then all is well again. */
function answerWatches(proxy: FaultProxy, count: number, status: number, headers: Readonly<Record<string, string>> = {}): void {
  let left = count;
  const body = JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code: status, message: "on purpose" });
  proxy.answerWith(({ isWatch }) => (isWatch && left-- > 0 ? { status, headers, body } : undefined));
}

const faults: readonly Fault[] = [
  { name: "tcp-reset", boundMs: 1000, strike: async ({ proxies }) => proxies.forEach(({ tcp }) => tcp.reset()) },
  {
    name: "http-500",
    boundMs: 5000,
    strike: async ({ proxies }) => {
      for (const proxy of proxies) answerWatches(proxy, 3, 500);
      for (const proxy of proxies) proxy.tcp.reset();
    },
  },
  {
    name: "http-429",
    boundMs: 5000,
    strike: async ({ proxies }) => {
      for (const proxy of proxies) answerWatches(proxy, 2, 429, { "retry-after": "1" });
      for (const proxy of proxies) proxy.tcp.reset();
    },
  },
  { name: "black-hole", boundMs: 35_000, strike: async ({ proxies }) => proxies.forEach(({ tcp }) => tcp.blackHole()) },
];

for (const { name, boundMs, strike } of faults) {
  test(`${name}: the next change is seen`, async (t) => {
    await using pair = await startPair(name);
    await strike(pair);
    await create(pair.namespace, "after");
    const [ours, official] = await Promise.all([
      seenWithin(pair.ours, "after", patienceMs),
      seenWithin(pair.official, "after", boundMs),
    ]);
    t.diagnostic(`${name}: ours ${shown(ours)}, official informer ${shown(official)}, bound ${boundMs} ms`);
    ok(ours !== undefined, "the change was not seen");
    equal(
      pair.ourProxy.requests().filter(isRelist).length,
      1,
      "a healthy history is resumed, never read anew (1: the first read)",
    );
  });
}

/** A read of everything: a list, or a watch that begins with all there is. */
const isRelist = ({ isWatch, path }: ProxiedRequest): boolean => !isWatch || path.includes("sendInitialEvents");

const shown = (ms: number | undefined): string => (ms === undefined ? "never" : `${ms} ms`);

test("410: one relist, and what was deleted in the gap is seen as deleted", async (t) => {
  await using pair = await startPair("gone");
  const relists = pair.ourProxy.requests().filter(isRelist).length;
  for (const { tcp } of pair.proxies) tcp.refuse();
  for (const { tcp } of pair.proxies) tcp.reset();
  await client.delete(configMaps, { namespace: pair.namespace, name: "before" }, signal);
  await create(pair.namespace, "after");
  for (const proxy of pair.proxies) answerWatches(proxy, 1, 410);
  for (const { tcp } of pair.proxies) tcp.accept();
  const [ours, official] = await Promise.all([
    seenWithin(pair.ours, "after", patienceMs),
    seenWithin(pair.official, "after", 5000),
  ]);
  t.diagnostic(`410: ours ${shown(ours)}, official informer ${shown(official)}, bound 5000 ms`);
  ok(ours !== undefined);
  equal(pair.ours.has("before"), false);
  ok(pair.ours.told.includes("deleted before"), "a delete in the gap was not told");
  equal(pair.ourProxy.requests().filter(isRelist).length - relists, 1, "relists");
  deepEqual(
    pair.ours.names().filter((name) => name !== "kube-root-ca.crt"),
    ["after"],
  );
});

test("API server restarted: everything is seen, nothing is lost", async (t) => {
  await using pair = await startPair("restart");
  for (let at = 0; at < 20; at += 1) await create(pair.namespace, `early-${at}`);
  await server.stopServing();
  await server.serveAgain();
  const readyAt = performance.now();
  await create(pair.namespace, "after");
  const [ours, official] = await Promise.all([
    seenWithin(pair.ours, "after", patienceMs),
    seenWithin(pair.official, "after", 5000),
  ]);
  t.diagnostic(
    `restart: ours ${shown(ours)} after ready (${Math.round(performance.now() - readyAt)} ms in all), official informer ${shown(official)}, bound 5000 ms`,
  );
  ok(ours !== undefined);
  const { items } = await client.list(configMaps, { namespace: pair.namespace }, signal);
  deepEqual(
    [...pair.ours.names()].toSorted(),
    items.map(({ metadata }) => metadata.name).toSorted(),
    "the cache is not as the server",
  );
  for (let at = 0; at < 20; at += 1)
    equal(pair.ours.told.filter((line) => line === `added early-${at}`).length, 1, `early-${at} was not told exactly once`);
});
