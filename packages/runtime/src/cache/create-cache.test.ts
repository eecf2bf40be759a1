import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { type Interceptor, interceptApi } from "../client/intercept.ts";
import type { KubeObject } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import { silentLog } from "../support/log.ts";
import { type MemoryApi, memoryApi } from "../testing/memory-api.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import type { CacheOptions } from "./cache.ts";
import { createCache, type ManagedCache } from "./create-cache.ts";
import { isForPeople } from "./follow.ts";

interface Line {
  readonly level: "warn" | "error";
  readonly object?: string;
  readonly error?: string;
}

interface Bench {
  readonly api: MemoryApi;
  readonly clock: VirtualClock;
  readonly cache: ManagedCache<Widget>;
  readonly lines: readonly Line[];
  readonly write: (name: string, size: number) => Promise<Widget>;
  readonly names: () => readonly string[];
}

const signal = new AbortController().signal;

async function bench(
  t: TestContext,
  options: CacheOptions<Widget> = {},
  {
    resource = widgets,
    faults = {},
    streamsLists = true,
  }: { resource?: Resource<Widget>; faults?: Interceptor; streamsLists?: boolean } = {},
): Promise<Bench> {
  const clock = createVirtualClock();
  const api = memoryApi({ now: clock.now, streamsLists });
  const client = createClient(api, { fieldManager: "test" });
  const lines: Line[] = [];
  const log = {
    ...silentLog,
    warn: (fields: object) => lines.push({ ...fields, level: "warn" }),
    error: (fields: object) => lines.push({ ...fields, level: "error" }),
  };
  const through = createClient(interceptApi(api, faults), { fieldManager: "cache" });
  const cache = createCache({ client: through, resource, options, clock, random: () => 0.5, log, onAction: () => undefined });
  const stop = new AbortController();
  t.after(() => stop.abort(new Error("over")));
  void cache.run(stop.signal);
  return {
    api,
    clock,
    cache,
    lines,
    names: () => cache.list().map(({ metadata }) => metadata.name),
    write: async (name, size) => {
      const key = { namespace: "n", name };
      const found = await client.find(widgets, key, signal);
      const written =
        found === undefined
          ? await client.create(widgets, { metadata: key, spec: { size } }, signal)
          : await client.patch(widgets, key, { spec: { size } }, signal);
      await clock.settle();
      return written;
    },
  };
}

const sizeOf = (value: KubeObject): number => {
  const spec: unknown = "spec" in value ? value.spec : undefined;
  return typeof spec === "object" && spec !== null && "size" in spec ? Number(spec.size) : 0;
};
/** Refuses what is larger than ten. */
const choosy: Resource<Widget> = {
  ...widgets,
  decode: (value) => {
    if (sizeOf(value) > 10) throw new Error("too large to be read");
    return { ...value, spec: { size: sizeOf(value) } };
  },
};

for (const streamsLists of [true, false]) {
  test(`an object that cannot be read is named and skipped, the others come (${streamsLists ? "streamed" : "listed"})`, async (t) => {
    const { write, names, lines, api, clock, cache } = await bench(t, {}, { resource: choosy, streamsLists });
    await write("bad", 11);
    await write("good", 1);
    deepEqual(names(), ["good"]);
    api.compact();
    api.breakWatches();
    await clock.advance(5000);
    await write("later", 2);
    deepEqual(names(), ["good", "later"], "the watch hangs on the bad object");
    await write("good", 12);
    await write("bad", 3);
    deepEqual(names().toSorted(), ["bad", "good", "later"]);
    equal(cache.get({ namespace: "n", name: "good" })?.spec.size, 1, "the version that could be read stays");
    ok(lines.every(({ level, error }) => level === "error" && error === "too large to be read"));
    deepEqual(new Set(lines.map(({ object }) => object)), new Set(["n/bad", "n/good"]));
  });
}

const bySize = ({ spec }: Widget): readonly string[] => {
  if (spec.size === 0) throw new Error("no size");
  return [String(spec.size)];
};

test("an index function that throws leaves the object in the cache, and every index whole", async (t) => {
  const { write, names, lines, cache } = await bench(t, { indexes: { bySize } });
  await write("a", 1);
  await write("a", 0);
  await write("b", 2);
  deepEqual(names(), ["a", "b"]);
  deepEqual([cache.byIndex("bySize", "1").length, cache.byIndex("bySize", "2").length], [0, 1]);
  match(lines[0]?.error ?? "", /no size/u);
  await write("a", 2);
  equal(cache.byIndex("bySize", "2").length, 2);
});

test("a watch that ends by nothing at all is given up and resumed", async (t) => {
  let hanging = false;
  const never: AsyncIterable<unknown> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) };
  const faults: Interceptor = { watch: async (_call, next) => (hanging ? never : next()) };
  const { write, names, api, clock } = await bench(t, {}, { faults });
  await write("a", 1);
  hanging = true;
  api.breakWatches();
  await clock.advance(1000);
  hanging = false;
  await write("b", 1);
  await clock.advance(479_000);
  deepEqual(names(), ["a"], "not yet: the API server has 450 s, and 30 more");
  await clock.advance(5000);
  deepEqual(names(), ["a", "b"]);
});

const widget = (name: string): Widget => ({
  apiVersion: "v1",
  kind: "Widget",
  metadata: { namespace: "n", name, uid: name, resourceVersion: "5", creationTimestamp: "" },
  spec: {},
});

test("a cache of one name reads its own new object at once, and not those of other names", async (t) => {
  const { cache } = await bench(
    t,
    { fieldSelector: "metadata.name=mine" },
    { faults: { watch: () => new Promise(() => undefined) } },
  );
  for (const name of ["mine", "other"]) cache.wrote(widget(name), undefined);
  deepEqual(
    cache.list().map(({ metadata }) => metadata.name),
    ["mine"],
  );
});

test("a watch that is forbidden is said at once, and why nothing was read is known", async (t) => {
  let allowed = false;
  const faults: Interceptor = {
    watch: async (_call, next) => {
      if (!allowed) throw new ApiError({ kind: "forbidden" }, "widgets is forbidden");
      return next();
    },
  };
  const { cache, lines, clock } = await bench(t, {}, { faults });
  await clock.advance(10);
  deepEqual(
    lines.map(({ level, error }) => [level, error]),
    [["warn", "widgets is forbidden"]],
  );
  equal(cache.problem(), "widgets is forbidden");
  await clock.advance(600_000);
  ok(lines.length < 10, `${lines.length} lines in ten minutes`);
  allowed = true;
  await clock.advance(10_000);
  deepEqual([cache.synced(), cache.problem()], [true, undefined]);
});

const rows: readonly (readonly [Parameters<typeof isForPeople>[0], number, boolean, string])[] = [
  ["unavailable", 0, false, "a reset connection is resumed at once"],
  ["unavailable", 2, false, "an API server that restarts"],
  ["unavailable", 3, true, "four times in a row is an outage"],
  ["unavailable", 4, false, "said already"],
  ["unavailable", 7, true, "still"],
  ["forbidden", 0, true, "waiting does not help"],
  ["unauthorized", 0, true, "waiting does not help"],
  ["badAnswer", 0, true, "waiting does not help"],
  ["unknown", 0, true, "a bug"],
  ["gone", 0, false, "a relist, as the protocol has it"],
];
for (const [kind, failures, want, why] of rows) {
  test(`a watch that failed with ${kind} after ${failures} failures is ${want ? "" : "not "}for people`, () =>
    equal(isForPeople(kind, failures), want, why));
}
