/** One query for all databases: what it tells of storages and bytes, whom it wakes, and how often it asks. */
import { deepEqual, equal } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { DctError, type Vdb } from "@vdb/dct";
import { FakeWorld, fakeDct } from "@vdb/dct/testing";
import { silentLog } from "kube-runtime";
import { createVirtualClock } from "kube-runtime/testing";
import { aVdb } from "../../vdb/testing.ts";
import { createStorageWatch } from "./watch-storage.ts";

const MiB = 2 ** 20;
const [lookMs, bytesMs] = [20_000, 60_000];
const [first, second] = ["vdb-1", "vdb-2"];

/** A database whose data lies on the engine of that name; undefined: not known yet. */
const onEngine = (delphixID: string, engine?: string, ownBytes?: number) =>
  aVdb({ status: { delphixID, ...(engine === undefined ? {} : { source: { type: "dct-source", engine } }), ownBytes } });
const vdbOfDct = (id: string, figures: Partial<Vdb> = {}): Vdb => ({ id, name: id, engine_id: "1", ...figures });

/** What a list has got since the last time. */
const taken = (list: string[]): readonly string[] => list.splice(0);

function stage(t: TestContext, ...vdbs: readonly ReturnType<typeof onEngine>[]) {
  const [world, clock] = [new FakeWorld(), createVirtualClock()];
  const state = { vdbs, down: false };
  const asked: string[] = [];
  const beforeCall = (call: string): void => {
    asked.push(call);
    if (state.down) throw new DctError("unreachable", "down");
  };
  const dct = fakeDct(world, { beforeCall });
  const watch = createStorageWatch({
    dct: { call: async (ask) => await ask(dct) },
    vdbs: { list: () => state.vdbs },
    log: silentLog,
    clock,
    intervalSeconds: lookMs / 1000,
    bytesSeconds: bytesMs / 1000,
  });
  const fill = (usedMiB: number): void => {
    const figures = { data_storage_capacity: 1000 * MiB, data_storage_used: usedMiB * MiB, data_storage_reserve: 100 * MiB };
    world.engine = { ...world.engine, ...figures };
  };
  fill(0);
  const woken: string[] = [];
  const begin = (): void => t.after(watch.trigger.start(({ name }) => void woken.push(name)));
  return { world, clock, state, watch, fill, begin, asked: () => taken(asked), woken: () => taken(woken) };
}

test("a storage is unknown before the first look, and is found by its engine's name and by its host's", async (t) => {
  const [named, hosted] = [onEngine(first, "delphix-engine"), onEngine(second, "delphix-engine.storage.svc")];
  const [elsewhere, placeless] = [onEngine("vdb-3", "another"), onEngine("vdb-4")];
  const { watch, begin, clock, woken } = stage(t, named, hosted, elsewhere, placeless);
  const levels = () => [named, hosted, elsewhere, placeless].map((vdb) => watch.of(vdb)?.level);
  deepEqual([levels(), watch.figures()], [["unknown", "unknown", "unknown", undefined], []]);
  begin();
  await clock.settle();
  deepEqual(levels(), ["roomLeft", "roomLeft", undefined, undefined]);
  equal(watch.of(hosted)?.engine, "delphix-engine.storage.svc", "by the name that the manifest has");
  deepEqual(watch.figures(), [{ engine: "delphix-engine", capacityBytes: 1000 * MiB, usedBytes: 0 }]);
  equal(woken().length, 3, "each of them can tell something else now");
});

test("a level that changes wakes its databases, once", async (t) => {
  const { watch, begin, clock, fill, state, woken } = stage(t, onEngine(first, "delphix-engine"));
  begin();
  await clock.settle();
  woken();
  await clock.advance(3 * lookMs);
  deepEqual(woken(), [], "nothing has changed");
  fill(950);
  await clock.advance(lookMs);
  deepEqual([woken(), state.vdbs.map((vdb) => watch.of(vdb)?.level)], [["orders"], ["nearlyFull"]]);
  await clock.advance(lookMs);
  deepEqual(woken(), []);
});

test("bytes are asked for more rarely, and wake where they have moved by more than a write is worth", async (t) => {
  const { world, watch, begin, clock, asked, state, woken } = stage(t, onEngine(first, "delphix-engine", 100 * MiB));
  const own = (sizeMiB: number): void => {
    world.vdbs.set(first, vdbOfDct(first, { storage_size: sizeMiB * MiB, size: 105 * MiB }));
  };
  own(104);
  begin();
  await clock.settle();
  deepEqual(asked(), ["searchEngines", "searchVdbs"]);
  deepEqual(woken(), ["orders"], "for the level alone");
  deepEqual(watch.bytesOf(onEngine(first)), { own: 104 * MiB, shared: MiB });
  own(120);
  await clock.advance(2 * lookMs);
  deepEqual([asked(), woken()], [["searchEngines", "searchEngines"], []]);
  await clock.advance(lookMs);
  deepEqual([asked(), woken()], [["searchEngines", "searchVdbs"], ["orders"]]);
  deepEqual(watch.bytesOf(onEngine(first)), { own: 120 * MiB, shared: 0 }, "DCT counts the two at different moments");
  state.vdbs = [onEngine(first, "delphix-engine", 120 * MiB)];
  await clock.advance(bytesMs);
  deepEqual(woken(), [], "that is told already");
});

test("a database that DCT gives no figures of has no bytes", async (t) => {
  const { world, watch, begin, clock } = stage(t, onEngine(first, "delphix-engine"), onEngine(second, "delphix-engine"));
  world.vdbs.set(first, vdbOfDct(first, { size: MiB }));
  begin();
  await clock.settle();
  deepEqual([watch.bytesOf(onEngine(first)), watch.bytesOf(onEngine(second))], [undefined, undefined]);
});

test("more databases than a filter of DCT takes are asked for in parts", async (t) => {
  const ids = Array.from({ length: 201 }, (_, at) => `vdb-${at}`);
  const { world, watch, begin, clock, asked } = stage(t, ...ids.map((id) => onEngine(id, "delphix-engine")));
  for (const id of ids) world.vdbs.set(id, vdbOfDct(id, { storage_size: MiB, size: MiB }));
  begin();
  await clock.settle();
  deepEqual(asked(), ["searchEngines", ...Array.from({ length: 3 }, () => "searchVdbs")]);
  deepEqual(
    ids.filter((id) => watch.bytesOf(onEngine(id)) === undefined),
    [],
  );
});

test("nobody is asked before a database has its place, and nobody after the end", async (t) => {
  const { watch, clock, asked, state } = stage(t, onEngine(first));
  const end = watch.trigger.start(() => undefined);
  await clock.advance(2 * lookMs);
  deepEqual(asked(), []);
  state.vdbs = [onEngine(first, "delphix-engine")];
  await clock.advance(lookMs);
  deepEqual(asked(), ["searchEngines", "searchVdbs"]);
  end();
  await clock.advance(bytesMs);
  deepEqual([asked(), clock.nextWakeMs()], [[], undefined]);
});

test("as long as DCT is away the last known stays, and it is asked again", async (t) => {
  const { world, watch, begin, clock, fill, asked, state, woken } = stage(t, onEngine(first, "delphix-engine", MiB));
  world.vdbs.set(first, vdbOfDct(first, { storage_size: MiB, size: MiB }));
  fill(950);
  begin();
  await clock.settle();
  state.down = true;
  fill(0);
  await clock.advance(bytesMs);
  equal(asked().filter((call) => call === "searchEngines").length, 4);
  deepEqual([watch.of(onEngine(first, "delphix-engine"))?.level, watch.bytesOf(onEngine(first))?.own], ["nearlyFull", MiB]);
  woken();
  state.down = false;
  await clock.advance(lookMs);
  deepEqual([woken(), watch.of(onEngine(first, "delphix-engine"))?.level], [["orders"], "roomLeft"]);
});
