import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Api } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { compareResourceVersions } from "../objects/resource-version.ts";
import type { Clock } from "../support/clock.ts";
import { silentLog } from "../support/log.ts";
import { type MemoryApi, memoryApi } from "../testing/memory-api.ts";
import { isFullTier, testSeed } from "../testing/tier.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import { createCacheSet } from "./cache-set.ts";
import { createCache } from "./create-cache.ts";

/** Every answer, every frame of a watch and every pause comes when the scheduler says. */
function scheduled(api: Api, s: fc.Scheduler): Api {
  return {
    call: async (call, signal) => {
      await s.schedule(Promise.resolve(), `send ${call.verb}`);
      const answer = await api.call(call, signal);
      await s.schedule(Promise.resolve(), `answer ${call.verb}`);
      return answer;
    },
    watch: async (call, signal) => {
      await s.schedule(Promise.resolve(), "open watch");
      return frames(await api.watch(call, signal), s);
    },
  };
}

async function* frames(source: AsyncIterable<unknown>, s: fc.Scheduler): AsyncGenerator {
  for await (const frame of source) {
    await s.schedule(Promise.resolve(), "frame");
    yield frame;
  }
}

const scheduledClock = (s: fc.Scheduler): Clock => ({
  now: () => 0,
  monotonic: () => 0,
  sleep: async (ms, signal) => {
    if (ms > 60_000) await new Promise((_resolve, reject) => signal.addEventListener("abort", reject, { once: true })); // the bound of a watch
    await s.schedule(Promise.resolve(), "pause");
    signal.throwIfAborted();
  },
});

type Action =
  | { readonly do: "write" | "delete" | "theirs" | "theirDelete"; readonly name: string; readonly size: number }
  | { readonly do: "break" | "compact" | "bookmark" };

const named = fc.record({
  do: fc.constantFrom("write", "write", "delete", "theirs", "theirDelete"),
  name: fc.constantFrom("a", "b", "c"),
  size: fc.nat(5),
});
const action = fc.oneof(
  { weight: 5, arbitrary: named },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("break", "compact", "bookmark") }) },
);

test("whatever the order of answers, frames and faults: a writer reads its own writes, and in the end the cache is the server", async () => {
  const runs = { numRuns: isFullTier ? 10_000 : 250, seed: testSeed };
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(action, { maxLength: 12, size: "max" }), fc.boolean(), follows),
    runs,
  );
});

async function follows(s: fc.Scheduler, actions: readonly Action[], streamsLists: boolean): Promise<void> {
  const server = memoryApi({ streamsLists, takesTurns: false });
  const api = scheduled(server, s);
  const direct = createClient(api, { fieldManager: "cache" });
  const errors: unknown[] = [];
  const log = { ...silentLog, error: (fields: object) => errors.push(fields) };
  const parts = { client: direct, clock: scheduledClock(s), random: () => 0.5, log, onAction: () => undefined };
  const caches = createCacheSet((resource, options) => createCache({ ...parts, resource, options }));
  const cache = caches.cacheFor(widgets, {});
  const believed = new Map<string, Widget>();
  cache.subscribe(({ type, object }) =>
    type === "deleted" ? believed.delete(object.metadata.name) : believed.set(object.metadata.name, object),
  );
  const end = new AbortController();
  const [managed] = caches.all();
  const following = managed?.run(end.signal);

  const writer = async (): Promise<void> => {
    await s.schedule(Promise.resolve(), "writer starts");
    for (const one of actions) await act(one, server, caches.remembering(direct), cache.get);
  };
  await s.waitFor(writer());
  await s.waitFor(cache.waitForSync(end.signal));
  // A server tells everything in the end, if only with a bookmark.
  await s.waitIdle();
  const plain = createClient(server, { fieldManager: "test" });
  const { items } = await plain.list(widgets, {}, end.signal);
  deepEqual(byName(cache.list()), byName(items), "the cache is not as the server");
  deepEqual(byName([...believed.values()]), byName(items), "a listener believes something else");
  deepEqual(errors, []);
  end.abort(new Error("over"));
  await s.waitIdle();
  await following;
}

const byName = (list: readonly Widget[]): readonly Widget[] =>
  list.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));

async function act(
  one: Action,
  server: MemoryApi,
  client: ReturnType<typeof createClient>,
  read: (key: { readonly namespace: string; readonly name: string }) => Widget | undefined,
): Promise<void> {
  const signal = new AbortController().signal;
  if (!("name" in one)) {
    if (one.do === "break") server.breakWatches();
    else if (one.do === "compact") server.compact();
    else server.bookmark();
    return;
  }
  const others = createClient(server, { fieldManager: "others" });
  const key = { namespace: "n", name: one.name };
  if (one.do === "write") {
    const written = await write(client, key, one.size, signal);
    const seen = read(key);
    const replaced = seen === undefined || seen.metadata.uid !== written.metadata.uid;
    if (replaced)
      ok((await others.find(widgets, key, signal))?.metadata.uid !== written.metadata.uid, "our own write is not to be seen");
    else
      ok(
        compareResourceVersions(seen.metadata.resourceVersion, written.metadata.resourceVersion) >= 0,
        "older than our own write",
      );
  }
  if (one.do === "delete") {
    const before = await others.find(widgets, key, signal);
    if (before === undefined) return;
    await client.delete(widgets, key, signal, { preconditions: { uid: before.metadata.uid } });
    ok(read(key)?.metadata.uid !== before.metadata.uid, "our own delete is not to be seen");
  }
  if (one.do === "theirs") await write(others, key, one.size, signal);
  if (one.do === "theirDelete") await others.delete(widgets, key, signal).catch(() => undefined); // there may be none
}

async function write(
  client: ReturnType<typeof createClient>,
  key: { readonly namespace: string; readonly name: string },
  size: number,
  signal: AbortSignal,
): Promise<Widget> {
  try {
    return await client.patch(widgets, key, { spec: { size } }, signal);
  } catch (error) {
    equal(error instanceof ApiError && error.kind, "notFound");
    return await client.create(widgets, { metadata: key, spec: { size } }, signal);
  }
}
