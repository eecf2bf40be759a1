import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { actionLabel, snapshotOfLabel, volumeSnapshotContents, volumeSnapshots } from "../../data/csi/volume-snapshots.ts";
import type { Told } from "../../data/source.ts";
import { quietContent } from "../../data/testing/quiet-content.ts";
import { forever, type Given, refusedBy, type StepBench, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import type { NamedSnapshot } from "../world.ts";
import { retireSnapshots } from "./retire-snapshots.ts";

/** The bench's time stands at 2026-01-01T00:00:00Z. */
const taken = { old: "2025-12-01T00:00:00Z", mid: "2025-12-30T00:00:00Z", new: "2025-12-31T00:00:00Z" };
type Needed = (handles: readonly string[]) => Told<ReadonlyMap<string, string>>;
const none: Needed = () => ({ kind: "told", value: new Map() });

interface Stage extends Omit<Given, "source"> {
  readonly needed?: Needed;
  /** VolumeSnapshots that nothing may touch. */
  readonly foreign?: readonly string[];
}

const refuseLists = (call: string): void => {
  if (call.startsWith("list volumesnapshots")) throw refusedBy("forbidden", "no");
};

/** A database with three snapshots of its own. */
async function stage({ needed = none, ...given }: Stage): Promise<StepBench> {
  const content = { ...quietContent, needed: async (handles: readonly string[]) => needed(handles) };
  const bench = await stepBench({ spec: { snapshots: { keep: 1 } }, ...given, source: { content } });
  for (const [name, creationTime] of Object.entries(taken)) await make(bench, name, creationTime, "uid-of-orders");
  // Of another database, of no action, and one that is still being taken.
  await make(bench, "another", taken.old, "uid-of-sales");
  await make(bench, "by-hand", taken.old, undefined);
  await make(bench, "unfinished", undefined, "uid-of-orders");
  bench.writes.length = 0;
  return bench;
}

async function make(
  { client }: StepBench,
  name: string,
  creationTime: string | undefined,
  of: string | undefined,
): Promise<void> {
  const labels = of === undefined ? {} : { [actionLabel]: "u", [snapshotOfLabel]: of };
  const source = { persistentVolumeClaimName: "orders-c1" };
  await client.create(volumeSnapshots, { metadata: { namespace: "shop", name, labels }, spec: { source } }, forever);
  if (creationTime === undefined) return;
  const spec = { driver: "d", deletionPolicy: "Delete" as const, source: {}, volumeSnapshotRef: {} };
  await client.create(volumeSnapshotContents, { metadata: { name: `content-${name}` }, spec }, forever);
  await client.patchStatus(
    volumeSnapshotContents,
    { name: `content-${name}` },
    { status: { snapshotHandle: `h-${name}` } },
    forever,
  );
  const status = { creationTime, readyToUse: true, boundVolumeSnapshotContentName: `content-${name}` };
  await client.patchStatus(volumeSnapshots, { namespace: "shop", name }, { status }, forever);
}

/** Which snapshots it deletes, what it tells, and when it looks again. */
async function run(bench: StepBench, actions: readonly NamedSnapshot[] = []) {
  const outcome = await retireSnapshots.run(
    { ...bench.ctx, world: { ...bench.ctx.world, namedByActions: () => actions } },
    forever,
  );
  equal(outcome.kind, "done", "the database does not depend on it");
  const again =
    outcome.kind === "done" && outcome.again !== undefined && "recheckSeconds" in outcome.again ? outcome.again : undefined;
  const [writes, events] = [[...bench.writes], [...bench.events]];
  bench.writes.length = 0;
  bench.events.length = 0;
  return { writes: writes.map((one) => one.replace("delete volumesnapshots ", "")), events, seconds: again?.recheckSeconds };
}

test("without limits, and while an action works on the database, nothing is looked at", async () => {
  const activeAction = { kind: "VDBRewind", name: "a", namespace: "shop", uid: "u" };
  for (const given of [{ spec: {} }, { status: { activeAction } }]) {
    const bench = await stage({ beforeCall: refuseLists, ...given });
    deepEqual(await run(bench), { writes: [], events: [], seconds: undefined });
  }
});

test("those beyond the limits go, the oldest first, and nobody else's; a second look finds nothing to do", async () => {
  const bench = await stage({});
  deepEqual(await run(bench), { writes: ["old", "mid"], events: ["SnapshotRetired", "SnapshotRetired"], seconds: 60 });
  const left = (await bench.client.list(volumeSnapshots, {}, forever)).items.map(({ metadata }) => metadata.name);
  deepEqual(left.toSorted(), ["another", "by-hand", "new", "unfinished"]);
  deepEqual(await run(bench), { writes: [], events: [], seconds: undefined });
});

test("by age alone, the next look is when the next one is too old", async () => {
  const bench = await stage({ spec: { snapshots: { maxAge: "72h" } } });
  deepEqual((await run(bench)).writes, ["old"]);
  equal((await run(bench)).seconds, 24 * 3600);
});

const action = (type: string, name: string, namespace = "shop"): NamedSnapshot => ({
  type,
  name,
  namespace,
  who: "VDBRewind back",
});
const copy = (reference: string, namespace?: string) =>
  aVdb({ spec: { source: { type: "k8s-snapshot", reference, ...(namespace === undefined ? {} : { namespace }) } } });
const needs: readonly {
  readonly name: string;
  readonly why: string;
  readonly needed?: Needed;
  readonly actions?: readonly NamedSnapshot[];
  readonly databases?: readonly ReturnType<typeof aVdb>[];
  readonly stays: boolean;
}[] = [
  {
    name: "a bookmark",
    why: "the name would lead nowhere",
    needed: (handles) => ({ kind: "told", value: new Map(handles.includes("h-old") ? [["h-old", "bookmark release"]] : []) }),
    stays: true,
  },
  { name: "an action, by its name", why: "it would fail", actions: [action("volume-snapshot", "old")], stays: true },
  { name: "an action, by DCT's id", why: "it would fail", actions: [action("dct-snapshot", "h-old")], stays: true },
  {
    name: "an action of another namespace",
    why: "it means another snapshot",
    actions: [action("volume-snapshot", "old", "sales")],
    stays: false,
  },
  { name: "a database made from it", why: "its source would be gone", databases: [copy("old")], stays: true },
  { name: "a database of another namespace", why: "it means another snapshot", databases: [copy("old", "sales")], stays: false },
];
for (const { name, why, needed, actions = [], databases = [], stays } of needs)
  test(`needed by ${name}: ${stays ? "it stays" : "it goes"}, and the others go`, async () => {
    const bench = await stage(needed === undefined ? {} : { needed });
    const list = bench.ctx.world.caches.vdbs.list();
    Object.assign(bench.ctx.world.caches.vdbs, { list: () => [...list, ...databases] });
    const first = await run(bench, actions);
    deepEqual(first.writes, stays ? ["mid"] : ["old", "mid"], why);
    deepEqual(first.events, stays ? ["SnapshotRetired", "SnapshotsKept"] : ["SnapshotRetired", "SnapshotRetired"]);
    const second = await run(bench, actions);
    deepEqual(second, { writes: [], events: [], seconds: stays ? 600 : undefined }, "told once; nothing is written at rest");
    if (stays) deepEqual((await run(bench)).writes, needed === undefined && databases.length === 0 ? ["old"] : []);
  });

test("a storage that does not answer: nothing goes, it is told once, and tried again in a minute", async () => {
  const state = { down: true };
  const bench = await stage({ needed: (handles) => (state.down ? { kind: "untold", message: "DCT is away" } : none(handles)) });
  deepEqual(await run(bench), { writes: [], events: ["SnapshotsKept"], seconds: 60 });
  deepEqual(await run(bench), { writes: [], events: [], seconds: 60 });
  state.down = false;
  deepEqual((await run(bench)).writes, ["old", "mid"]);
});

test("an API server that forbids it holds up no database", async () => {
  const bench = await stage({ beforeCall: refuseLists });
  deepEqual(await run(bench), { writes: [], events: ["SnapshotsKept"], seconds: 600 });
});

for (const [words, needed] of [
  ["its storage has not let go of it", none],
  ["bookmark release needs it", () => ({ kind: "told", value: new Map([["h-old", "bookmark release"]]) }) as const],
] as const)
  test(`one whose deletion does not come to its end: ${words}`, async () => {
    const bench = await stage({ spec: { snapshots: { keep: 9 } }, needed });
    const key = { namespace: "shop", name: "old" };
    await bench.client.patch(
      volumeSnapshots,
      key,
      { metadata: { finalizers: ["snapshot.storage.kubernetes.io/bound"] } },
      forever,
    );
    await bench.client.delete(volumeSnapshots, key, forever);
    bench.writes.length = 0;
    deepEqual(await run(bench), { writes: [], events: [], seconds: 60 }, "it may take a moment");
    await bench.clock.advance(61_000);
    deepEqual(await run(bench), { writes: [], events: ["SnapshotsKept"], seconds: 60 });
    match([...bench.ctx.run.marks.keys()].join(), new RegExp(`VolumeSnapshot old \\(deleted already, but ${words}`, "u"));
  });
