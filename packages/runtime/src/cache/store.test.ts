import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type KubeObject } from "../objects/object.ts";
import { compareResourceVersions } from "../objects/resource-version.ts";
import { isFullTier, testSeed } from "../testing/tier.ts";
import type { CacheEvent } from "./cache.ts";
import { createStore, type Store } from "./store.ts";

/**
 * The model: an API server as a list of changes, one watch that delivers them late, and a writer whose answers come
 * whenever they come. The interleaving of watch, relist and answers is what is generated.
 */
interface Server {
  readonly objects: Map<string, KubeObject>;
  readonly log: { readonly type: "changed" | "removed"; readonly object: KubeObject }[];
  version: number;
  uids: number;
}

/** Answers to our writes that are under way. */
type Answer =
  | { readonly kind: "wrote"; readonly object: KubeObject }
  | { readonly kind: "deleted"; readonly key: string; readonly uid: string };

interface World {
  readonly server: Server;
  readonly store: Store<KubeObject>;
  /** How many changes the watch has delivered. */
  delivered: number;
  readonly answers: Answer[];
  /** A list that was taken and is still under way. */
  list: { readonly objects: readonly KubeObject[]; readonly version: string; readonly delivered: number } | undefined;
  /** What a listener of the cache believes there is. */
  readonly believed: Map<string, KubeObject>;
  /** Own writes whose answer has arrived: reads must give them or something newer. */
  readonly promised: Map<string, { readonly uid: string; readonly version: string; readonly selected: boolean }>;
  /** Uids that we deleted, answer received: never to be seen again. */
  readonly gone: Set<string>;
}

function makeWorld(): World {
  const believed = new Map<string, KubeObject>();
  const onEvent = (event: CacheEvent<KubeObject>): void => {
    const { name } = event.object.metadata;
    const before = believed.get(name);
    if (event.type === "added") equal(before, undefined, "added twice");
    if (event.type === "updated") deepEqual(before, event.before, "an update from something else than was told before");
    if (event.type === "updated") equal(event.before.metadata.uid, event.object.metadata.uid, "an update across uids");
    if (event.type === "deleted") {
      ok(before !== undefined, "deleted, but never there");
      believed.delete(name);
    } else believed.set(name, event.object);
  };
  const store = createStore<KubeObject>(onEvent);
  const server: Server = { objects: new Map(), log: [], version: 0, uids: 0 };
  store.replaced([], "0");
  return { server, store, delivered: 0, answers: [], list: undefined, believed, promised: new Map(), gone: new Set() };
}

/** What the cache's selector selects. */
const isSelected = ({ metadata }: KubeObject): boolean => metadata.labels?.["selected"] !== "no";

function write(server: Server, name: string, selected: boolean): KubeObject {
  server.version += 1;
  const before = server.objects.get(name);
  if (before === undefined) server.uids += 1;
  const uid = before?.metadata.uid ?? `uid-${server.uids}`;
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "X",
    metadata: {
      name,
      uid,
      resourceVersion: String(server.version),
      creationTimestamp: "",
      labels: { selected: selected ? "yes" : "no" },
    },
  };
  server.objects.set(name, object);
  server.log.push({ type: selected ? "changed" : "removed", object });
  return object;
}

function remove(server: Server, name: string): KubeObject | undefined {
  const before = server.objects.get(name);
  if (before === undefined) return undefined;
  server.version += 1;
  server.objects.delete(name);
  server.log.push({
    type: "removed",
    object: { ...before, metadata: { ...before.metadata, resourceVersion: String(server.version) } },
  });
  return before;
}

function deliver(world: World): void {
  if (world.list !== undefined) return; // no watch is open
  const change = world.server.log[world.delivered];
  if (change === undefined) return;
  world.delivered += 1;
  if (change.type === "changed") world.store.changed(change.object);
  else world.store.removed(change.object);
}

/** A watch broke: everything is listed anew. */
function askForList({ server, list }: World): World["list"] {
  const objects = [...server.objects.values()].filter(isSelected);
  return list ?? { objects, version: String(server.version), delivered: server.log.length };
}

/** The list arrives, as of the moment in which it was taken: it jumps over what the watch had not delivered. */
function receiveList(world: World): void {
  if (world.list === undefined) return;
  world.store.replaced(world.list.objects, world.list.version);
  world.delivered = world.list.delivered;
  world.list = undefined;
}

function receive(world: World, at: number): void {
  const [answer] = world.answers.splice(at % Math.max(1, world.answers.length), 1);
  if (answer === undefined) return;
  if (answer.kind === "deleted") {
    world.store.deletedByUs({ name: answer.key }, answer.uid);
    world.gone.add(answer.uid);
    if (world.promised.get(answer.key)?.uid === answer.uid) world.promised.delete(answer.key);
    return;
  }
  const { name, uid, resourceVersion } = answer.object.metadata;
  world.store.wrote(answer.object, isSelected(answer.object));
  const before = world.promised.get(name);
  if (before === undefined || compareResourceVersions(resourceVersion, before.version) > 0)
    world.promised.set(name, { uid, version: resourceVersion, selected: isSelected(answer.object) });
}

/** What must hold at every moment. */
function checkReads(world: World): void {
  for (const [name, { uid, version }] of world.promised) {
    const read = world.store.get({ name });
    if (read !== undefined && read.metadata.uid === uid)
      ok(compareResourceVersions(read.metadata.resourceVersion, version) >= 0, `${name}: older than our own write`);
    const replaced = world.server.log.some(({ type, object }) => type === "removed" && object.metadata.uid === uid);
    const changedSince = world.server.log.some(
      ({ object }) =>
        object.metadata.uid === uid &&
        compareResourceVersions(object.metadata.resourceVersion, version) >= 0 &&
        !isSelected(object),
    );
    if (read === undefined) ok(replaced || changedSince, `${name}: our own write is not to be seen`);
  }
  for (const object of world.store.values()) {
    const promise = world.promised.get(object.metadata.name);
    if (promise?.uid === object.metadata.uid && !promise.selected)
      ok(compareResourceVersions(object.metadata.resourceVersion, promise.version) > 0, "what we deselected has come back");
  }
  for (const object of world.store.values()) ok(!world.gone.has(object.metadata.uid), "our own delete is not to be seen");
  deepEqual(
    new Map([...world.store.values()].map((object) => [object.metadata.name, object])),
    world.believed,
    "listeners believe something else",
  );
}

const names = fc.constantFrom("a", "b", "c");
const action = fc.oneof(
  { weight: 3, arbitrary: names.map((name) => ({ do: "theirWrite", name, selected: true }) as const) },
  { weight: 1, arbitrary: names.map((name) => ({ do: "theirWrite", name, selected: false }) as const) },
  { weight: 1, arbitrary: names.map((name) => ({ do: "theirDelete", name }) as const) },
  { weight: 3, arbitrary: names.map((name) => ({ do: "ourWrite", name, selected: true }) as const) },
  { weight: 2, arbitrary: names.map((name) => ({ do: "ourWrite", name, selected: false }) as const) },
  { weight: 2, arbitrary: names.map((name) => ({ do: "ourDelete", name }) as const) },
  { weight: 6, arbitrary: fc.constant({ do: "deliver" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "askForList" } as const) },
  { weight: 2, arbitrary: fc.constant({ do: "list" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "bookmark" } as const) },
  { weight: 4, arbitrary: fc.nat(9).map((at) => ({ do: "answer", at }) as const) },
);

test("whatever the order of watch, relist and answers: own writes are read, versions never go back, the end is the server's", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: "max" }), (actions) => {
      const world = makeWorld();
      for (const one of actions) {
        if (one.do === "theirWrite") write(world.server, one.name, one.selected);
        if (one.do === "theirDelete") remove(world.server, one.name);
        if (one.do === "ourWrite") world.answers.push({ kind: "wrote", object: write(world.server, one.name, one.selected) });
        if (one.do === "ourDelete") {
          const gone = remove(world.server, one.name);
          if (gone !== undefined) world.answers.push({ kind: "deleted", key: one.name, uid: gone.metadata.uid });
        }
        if (one.do === "deliver") deliver(world);
        if (one.do === "askForList") world.list = askForList(world);
        if (one.do === "list") receiveList(world);
        if (one.do === "bookmark" && world.list === undefined && world.delivered === world.server.log.length)
          world.store.passed(String(world.server.version));
        if (one.do === "answer") receive(world, one.at);
        checkReads(world);
      }
      receiveList(world);
      while (world.answers.length > 0) receive(world, 0);
      while (world.delivered < world.server.log.length) deliver(world);
      checkReads(world);
      deepEqual(
        [...world.store.values()].toSorted(byName),
        [...world.server.objects.values()].filter(isSelected).toSorted(byName),
        "the cache is not as the server",
      );
    }),
    { numRuns: isFullTier ? 20_000 : 1500, seed: testSeed },
  );
});

const byName = (a: KubeObject, b: KubeObject): number => a.metadata.name.localeCompare(b.metadata.name);

test("indexes hold exactly the objects that have the value, through every change", () => {
  const change = fc.record({
    name: names,
    labels: fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom("1", "2")),
    gone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30, size: "max" }), (changes) => {
      const store = createStore<KubeObject>(() => undefined);
      store.addIndex("label", (object) => Object.entries(object.metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`));
      const model = new Map<string, KubeObject>();
      for (const [at, { name, labels, gone }] of changes.entries()) {
        const object: KubeObject = {
          apiVersion: "v1",
          kind: "X",
          metadata: { name, uid: name, labels, resourceVersion: String(at + 1), creationTimestamp: "" },
        };
        if (gone) store.removed(object);
        else store.changed(object);
        if (gone) model.delete(name);
        else model.set(name, object);
        for (const value of ["x=1", "x=2", "y=1", "y=2"]) {
          const want = [...model.values()].filter((one) =>
            Object.entries(one.metadata.labels ?? {}).some(([key, label]) => `${key}=${label}` === value),
          );
          deepEqual(store.byIndex("label", value).toSorted(byName), want.toSorted(byName));
        }
      }
    }),
  );
});

const version = (uid: string, resourceVersion: string): KubeObject => ({
  apiVersion: "v1",
  kind: "X",
  metadata: { name: "a", uid, resourceVersion, creationTimestamp: "" },
});

test("an object made anew under the same name is a delete and an add, also after a relist", () => {
  const told: string[] = [];
  const store = createStore<KubeObject>(({ type, object }) => told.push(`${type} ${object.metadata.uid}`));
  store.replaced([version("first", "1")], "1");
  store.replaced([version("second", "5")], "6");
  deepEqual(told, ["added first", "deleted first", "added second"]);
});

test("a list from before everything we know, as after a restore of etcd, is taken as it is; our writes since are kept", () => {
  const store = createStore<KubeObject>(() => undefined);
  store.replaced([version("first", "90")], "100");
  store.deletedByUs({ name: "b" }, "other");
  store.replaced(
    [version("first", "40"), { ...version("other", "30"), metadata: { ...version("other", "30").metadata, name: "b" } }],
    "50",
  );
  deepEqual([...store.values()].map(({ metadata }) => metadata.resourceVersion).toSorted(), ["30", "40"]);
  store.wrote(version("first", "60"), true);
  store.replaced([version("first", "40")], "55");
  equal(store.get({ name: "a" })?.metadata.resourceVersion, "60", "our own write is not to be seen");
});

test("what is newer than a list and not ours is not kept: nothing would ever end it", () => {
  const store = createStore<KubeObject>(() => undefined);
  store.replaced([], "1");
  store.changed(version("first", "90"));
  store.replaced([], "50");
  deepEqual([...store.values()], []);
});
