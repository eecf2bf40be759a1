import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Cache,
  type CacheEvent,
  type Client,
  type ConfigMap,
  compareResourceVersions,
  configMaps,
  createClient,
  createManager,
  type HttpApi,
  httpApi,
  isApiError,
  namespaces,
  silentLog,
} from "../src/index.ts";
import {
  type FaultAnswer,
  type FaultProxy,
  seededRandom,
  startApiServer,
  startFaultProxy,
  type TestApiServer,
  testSeed,
} from "../src/testing/index.ts";

/** Objects come, change and go all the while; whatever happens on the way to the real API server, the cache tells all of it. */

let server: TestApiServer;
let api: HttpApi;
let client: Client;
const signal = AbortSignal.timeout(600_000);
const random = seededRandom(testSeed);

before(async () => {
  server = await startApiServer();
  api = httpApi(server.connection, { requestsPerSecond: 500, burst: 500 });
  client = createClient(api, { fieldManager: "test" });
});
after(async () => {
  await api?.close();
  await server?.[Symbol.asyncDispose]();
});

interface Written {
  /** The version of every create and update that was answered. */
  readonly versions: Set<string>;
  readonly deletedUids: Set<string>;
}

/** Creates, updates and deletes ten ConfigMaps by chance until it is stopped. What a restarting server does not answer may have happened. */
async function write(namespace: string, written: Written, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const key = { namespace, name: `map-${Math.floor(random() * 10)}` };
    try {
      await writeOne(key, written);
    } catch (error) {
      if (!isApiError(error, "unavailable", "timeout", "unauthorized", "forbidden", "tooManyRequests")) throw error;
    }
    await delay(10);
  }
}

/** On a busy machine few writes are answered in a given time: without enough of them a test proves nothing. */
async function untilEnough({ versions, deletedUids }: Written): Promise<void> {
  while (versions.size <= 20 || deletedUids.size <= 5) {
    signal.throwIfAborted();
    await delay(50);
  }
}

async function writeOne(key: { readonly namespace: string; readonly name: string }, written: Written): Promise<void> {
  const present = await client.find(configMaps, key, signal);
  const data = { number: String(random()) };
  if (present === undefined)
    written.versions.add((await client.create(configMaps, { metadata: key, data }, signal)).metadata.resourceVersion);
  else if (random() < 0.6) written.versions.add((await client.patch(configMaps, key, { data }, signal)).metadata.resourceVersion);
  else {
    await client.delete(configMaps, key, signal);
    written.deletedUids.add(present.metadata.uid);
  }
}

/** Of each object: added once, then only newer versions, then deleted at most once, and nothing afterwards. */
function assertSound(told: readonly CacheEvent<ConfigMap>[]): void {
  const lives = new Map<string, { version: string; ended: boolean }>();
  for (const { type, object } of told) {
    const { uid, name, resourceVersion } = object.metadata;
    const life = lives.get(uid);
    equal(life === undefined, type === "added", `${name} was told as ${type}`);
    ok(life?.ended !== true, `${name} was told as ${type} after its end`);
    const newer = life === undefined || compareResourceVersions(resourceVersion, life.version) >= (type === "updated" ? 1 : 0);
    ok(newer, `${name} went back in time`);
    lives.set(uid, { version: resourceVersion, ended: type === "deleted" });
  }
}

const versionsOf = (all: readonly ConfigMap[]): readonly string[] =>
  all.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted();

async function untilEqual(cache: Cache<ConfigMap>, namespace: string): Promise<void> {
  const { items } = await client.list(configMaps, { namespace }, signal);
  for (let tries = 0; tries < 1000; tries += 1) {
    if (versionsOf(cache.list()).join() === versionsOf(items).join()) return;
    await delay(50);
  }
  deepEqual(versionsOf(cache.list()), versionsOf(items), "the cache is not as the server");
}

/** The next watches are answered so. */
function answerWatches(proxy: FaultProxy, times: number, answer: FaultAnswer): void {
  let left = times;
  proxy.answerWith(({ isWatch }) => {
    if (!isWatch || left === 0) return undefined;
    left -= 1;
    return answer;
  });
}

/** As an API server says within an open watch that it has forgotten the version. */
const expired: FaultAnswer = {
  status: 200,
  body: `${JSON.stringify({
    type: "ERROR",
    object: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "too old resource version: 1 (2)",
      reason: "Expired",
      code: 410,
    },
  })}\n`,
};

interface Fault {
  readonly name: string;
  readonly strike: (proxy: FaultProxy) => Promise<void>;
  /** How often everything is read anew because of it. "any": a server that lost its memory of changes rightly wants it. */
  readonly relists: number | "any";
}

const faults: readonly Fault[] = [
  { name: "a TCP reset", relists: 0, strike: async ({ tcp }) => tcp.reset() },
  {
    name: "three HTTP 500",
    relists: 0,
    strike: async (proxy) => {
      answerWatches(proxy, 3, { status: 500 });
      proxy.tcp.reset();
    },
  },
  {
    name: "two HTTP 429",
    relists: 0,
    strike: async (proxy) => {
      answerWatches(proxy, 2, { status: 429, headers: { "retry-after": "1" } });
      proxy.tcp.reset();
    },
  },
  { name: "a black hole", relists: 0, strike: async ({ tcp }) => tcp.blackHole() },
  {
    name: "a version that is too old, as an event of an accepted watch",
    relists: 1,
    strike: async (proxy) => {
      answerWatches(proxy, 1, expired);
      proxy.tcp.reset();
    },
  },
  {
    name: "a restart of the API server",
    relists: "any",
    strike: async () => {
      await server.stopServing();
      await server.serveAgain();
    },
  },
  {
    name: "a restart of the API server, after which it knows no earlier version",
    relists: "any",
    strike: async (proxy) => {
      answerWatches(proxy, 1, expired);
      await server.stopServing();
      await server.serveAgain();
    },
  },
];

for (const [at, { name, strike, relists }] of faults.entries()) {
  test(`through ${name}: nothing is lost, doubled, or told out of order`, async (t) => {
    const namespace = `through-${at}`;
    await client.create(namespaces, { metadata: { name: namespace } }, signal);
    await using proxy = await startFaultProxy(server.connection);
    await using ourApi = httpApi(proxy.connection);
    const manager = createManager({ name: "through", api: ourApi, log: silentLog });
    const cache = manager.cacheFor(configMaps, { namespace });
    const told: CacheEvent<ConfigMap>[] = [];
    cache.subscribe((event) => told.push(event));
    const [stopManager, stopWriting] = [new AbortController(), new AbortController()];
    const running = manager.run(stopManager.signal);
    try {
      await cache.waitForSync(signal);
      const written: Written = { versions: new Set(), deletedUids: new Set() };
      const { versions, deletedUids } = written;
      const writing = write(namespace, written, stopWriting.signal);
      await delay(500);
      const earlier = proxy.requests().filter(isRelist).length;
      await strike(proxy);
      await delay(2500);
      await Promise.race([untilEnough(written), writing]);
      stopWriting.abort();
      await writing;
      await untilEqual(cache, namespace);
      assertSound(told);
      const relisted = proxy.requests().filter(isRelist).length - earlier;
      if (relists !== "any") equal(relisted, relists, "relists");
      const seen = new Set(told.map(({ object }) => object.metadata.resourceVersion));
      const gone = new Set(told.filter(({ type }) => type === "deleted").map(({ object }) => object.metadata.uid));
      const known = new Set(told.map(({ object }) => object.metadata.uid));
      const missed = [...versions].filter((version) => !seen.has(version));
      // A relist tells what is, not what was in between.
      if (relisted === 0) deepEqual(missed, [], "changes that were not told");
      for (const uid of deletedUids) ok(gone.has(uid) || (relisted > 0 && !known.has(uid)), "a delete was not told");
      const counts = `${versions.size} versions, ${deletedUids.size} deletes, ${told.length} events, ${relisted} relists`;
      t.diagnostic(`${counts}; TEST_SEED=${testSeed}`);
    } finally {
      stopWriting.abort();
      stopManager.abort();
      await running;
    }
  });
}

/** A read of everything: a list, or a watch that begins with all there is. */
const isRelist = ({ isWatch, path }: { readonly isWatch: boolean; readonly path: string }): boolean =>
  !isWatch || path.includes("sendInitialEvents");
