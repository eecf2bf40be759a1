import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, postgresRefresh, postgresRewind, vdbRefresh, vdbRewind } from "@vdb/api";
import { DctError } from "@vdb/dct";
import { pods } from "kube-runtime";
import { contentIdOfAction } from "../vdb/names.ts";
import { ended, forever, makeVolumeSnapshot } from "./action-bench.ts";
import { changes, type Stage, spec, stage } from "./testing/replace-stage.ts";

test("a refresh goes through its phases, and the old data is the previous one", async () => {
  const { bench, world, current } = await stage();
  await bench.apply(vdbRefresh, "monday", spec);
  await bench.live(ended(bench, "monday", vdbRefresh));
  const { status } = await bench.get(vdbRefresh, "monday");
  equal(status.phase, "Completed", status.lastError ?? "");
  deepEqual(bench.seen.get("monday"), [
    "Pending",
    "PreRefresh",
    "Stopping",
    "Refreshing",
    "Starting",
    "PostRefresh",
    "Finalizing",
    "Completed",
  ]);
  equal(status.conditions?.find(({ type }) => type === "ModeEnforced")?.reason, "Enforced");
  const vdb = (await bench.vdb()).status;
  deepEqual(
    [vdb.content?.madeBy, vdb.content?.dataTimestamp, vdb.dataTimestamp],
    ["refresh", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
  );
  deepEqual(
    [vdb.previous?.id, vdb.previous?.madeBy, vdb.previous?.until !== undefined, vdb.activeAction],
    ["c1", "create", true, undefined],
  );
  ok(current() !== "tf-1" && world.timeflows.has("tf-1"));
  deepEqual(bench.broken, []);
});

const lostCalls = [
  { name: "that was never sent is made again at once", unsent: true, least: 0, most: 30 },
  { name: "whose answer was lost is made again once it can no longer arrive", unsent: false, least: 60, most: 90 },
];
for (const { name, unsent, least, most } of lostCalls)
  test(`a call to DCT ${name}`, async () => {
    const lost = { is: false };
    const { bench, world } = await stage({
      beforeCall: (call) => {
        if (lost.is || call !== "refresh") return;
        lost.is = true;
        throw new DctError("unreachable", "no answer", { unsent });
      },
    });
    await bench.apply(vdbRefresh, "monday", spec);
    await bench.live(ended(bench, "monday", vdbRefresh));
    const { status } = await bench.get(vdbRefresh, "monday");
    equal(status.phase, "Completed", status.lastError ?? "");
    const { startTime = "", completionTime = "" } = status.steps?.find((step) => step.name === "cut-over") ?? {};
    const seconds = (Date.parse(completionTime) - Date.parse(startTime)) / 1000;
    ok(lost.is && seconds >= least && seconds <= most, `${seconds} s`);
    deepEqual([changes(world), bench.broken], [["DB_REFRESH"], []]);
  });

test("a rewind takes the latest own snapshot; previous undoes it", async () => {
  const { bench, world, current } = await stage();
  await bench.apply(postgresRewind, "back", spec);
  await bench.live(ended(bench, "back", postgresRewind));
  const { status } = await bench.get(postgresRewind, "back");
  deepEqual([status.phase, "snapshot" in status && status.snapshot?.id], ["Completed", "own-1"], status.lastError ?? "");
  equal((await bench.vdb()).status.content?.takenOpen, true, "its hooks have run on it");
  await bench.apply(vdbRewind, "undo", { ...spec, snapshotRef: { type: "previous" } });
  await bench.live(ended(bench, "undo", vdbRewind));
  equal(
    (await bench.get(vdbRewind, "undo")).status.phase,
    "Completed",
    (await bench.get(vdbRewind, "undo")).status.lastError ?? "",
  );
  equal(current(), "tf-1");
  equal((await bench.vdb()).status.content?.takenOpen, true);
  deepEqual(changes(world), ["DB_ROLLBACK", "DB_SWITCH_TIMEFLOW"]);
});

test("previous is the data that the last completed action replaced, whatever failed since", async () => {
  const { bench, current } = await stage();
  await bench.apply(vdbRefresh, "monday", spec);
  await bench.live(ended(bench, "monday", vdbRefresh));
  bench.trouble = "beforeOpen";
  await bench.apply(vdbRefresh, "failing", spec);
  await bench.live(ended(bench, "failing", vdbRefresh));
  deepEqual([(await bench.get(vdbRefresh, "failing")).status.phase, current() === "tf-1"], ["Error", false]);
  bench.trouble = undefined;
  await bench.apply(vdbRewind, "undo", { ...spec, snapshotRef: { type: "previous" } });
  await bench.live(ended(bench, "undo", vdbRewind));
  deepEqual([(await bench.get(vdbRewind, "undo")).status.phase, current()], ["Completed", "tf-1"]);
  deepEqual(bench.broken, []);
});

test("a state of before the opening has to be named, and is told as one that no hook may have seen", async () => {
  const { bench, world } = await stage();
  world.vdbSnapshots.set("own-0", { id: "own-0", name: "@first", dataset_id: "vdb-1", timestamp: "2026-01-01T00:05:00Z" });
  await bench.apply(vdbRewind, "early", { ...spec, snapshotRef: { type: "dct-snapshot", name: "own-0" } });
  await bench.live(ended(bench, "early", vdbRewind));
  equal((await bench.get(vdbRewind, "early")).status.phase, "Completed");
  equal((await bench.vdb()).status.content?.takenOpen, false);
});

interface Refusal {
  readonly name: string;
  readonly kind: ActionKind;
  readonly ref?: object;
  /** What is there beside the stage. */
  readonly given?: (stage: Stage) => Promise<void> | void;
  readonly reason: string;
  readonly words: RegExp;
}

const another = { id: "theirs-1", name: "@theirs", dataset_id: "vdb-2", timestamp: "2026-01-01T00:20:00Z" };
const bookmark = (name: string, vdb: string) => ({ id: `b-${name}`, name, vdbs: [{ vdb_id: vdb, snapshot_id: `s-${name}` }] });
/** With a free space of so many MiB, 300 of which are the reserve. */
const free =
  (mib: number, reserve: object = { data_storage_reserve: 300 * 2 ** 20 }) =>
  ({ world }: Stage): void => {
    const used = { data_storage_capacity: 10 * 2 ** 30, data_storage_used: 10 * 2 ** 30 - mib * 2 ** 20 };
    world.engine = { ...world.engine, ...used, ...reserve };
  };

const refused: readonly Refusal[] = [
  {
    name: "no such snapshot",
    kind: vdbRefresh,
    ref: { type: "dct-snapshot", name: "nowhere" },
    reason: "SnapshotNotFound",
    words: /there is no dct-snapshot nowhere; the newest: own-1 \(2026-01-01T00:30:00Z\), 1-APPDATA_SNAPSHOT-production-2/u,
  },
  {
    name: 'the word "null", as a script has it that has found nothing',
    kind: vdbRewind,
    ref: { type: "dct-snapshot", name: "null" },
    reason: "SnapshotNotFound",
    words: /name is the word "null": the search that was to give it has found nothing; the newest: own-1/u,
  },
  {
    name: "a source's snapshot for a rewind",
    kind: vdbRewind,
    ref: { type: "dct-snapshot", name: "1-APPDATA_SNAPSHOT-production-1" },
    reason: "SnapshotNotUsable",
    words: /is one of dataset 1-APPDATA_CONTAINER-production, and a rewind .* takes those of vdb-1; the newest: own-1/u,
  },
  {
    name: "another database's snapshot",
    kind: postgresRefresh,
    ref: { type: "dct-snapshot", name: "theirs-1" },
    given: ({ world }) => void world.vdbSnapshots.set(another.id, another),
    reason: "SnapshotNotUsable",
    words: /theirs-1 is one of dataset vdb-2, .* takes those of 1-APPDATA_CONTAINER-production and vdb-1; the newest: own-1/u,
  },
  {
    name: "no bookmark of that name",
    kind: vdbRefresh,
    ref: { type: "dct-bookmark", name: "b" },
    given: ({ world }) => void world.bookmarks.push(bookmark("monday", "vdb-1"), bookmark("theirs", "vdb-2")),
    reason: "SnapshotNotFound",
    words: /no dct-bookmark b; the bookmarks with data of 1-APPDATA_CONTAINER-production or vdb-1: monday$/u,
  },
  {
    name: "a bookmark that does not cover it",
    kind: vdbRewind,
    ref: { type: "dct-bookmark", name: "theirs" },
    given: ({ world }) => void world.bookmarks.push(bookmark("theirs", "vdb-2")),
    reason: "SnapshotNotUsable",
    words: /bookmark theirs does not cover this database, it covers vdb-2; no bookmark has data of vdb-1$/u,
  },
  {
    name: "no VolumeSnapshot",
    kind: vdbRefresh,
    ref: { type: "volume-snapshot", name: "v" },
    given: async ({ bench }) => await makeVolumeSnapshot(bench.client, "monday", "d.example"),
    reason: "SnapshotNotFound",
    words: /no VolumeSnapshot v in the namespace shop; the VolumeSnapshots of this database there: monday$/u,
  },
  {
    name: "a VolumeSnapshot of another driver",
    kind: postgresRewind,
    ref: { type: "volume-snapshot", name: "monday" },
    given: async ({ bench }) => await makeVolumeSnapshot(bench.client, "monday", "d.example"),
    reason: "SnapshotNotUsable",
    words: /monday is of the driver d\.example; this database takes those of defs\.csi\.delphix\.com; .* there: monday$/u,
  },
  {
    name: "before the first",
    kind: vdbRefresh,
    ref: { type: "timestamp", name: "2020-01-01T00:00:00Z" },
    reason: "SnapshotNotFound",
    words: /no timestamp 2020-01-01T00:00:00Z; the newest: own-1/u,
  },
  {
    name: "nothing previous",
    kind: vdbRewind,
    ref: { type: "previous" },
    reason: "SnapshotNotFound",
    words: /no previous data/u,
  },
  {
    name: "a VDB that is locked",
    kind: vdbRefresh,
    given: ({ world }) => void world.vdbs.set("vdb-1", { id: "vdb-1", ...world.vdbs.get("vdb-1"), is_locked: true }),
    reason: "StorageFailed",
    words: /the VDB orders is locked in DCT: unlock it there/u,
  },
  {
    name: "too little free space",
    kind: postgresRefresh,
    given: free(200),
    reason: "StorageFailed",
    words: /engine delphix-engine has too little free space .*: 200 MiB are free, and 300 MiB of them are its reserve; delete/u,
  },
];
for (const { name, kind, ref, given, reason, words } of refused)
  test(`refused before the stop: ${name}`, async () => {
    const made = await stage();
    const { bench, world } = made;
    await given?.(made);
    await bench.apply(kind, "monday", { ...spec, ...(ref === undefined ? {} : { snapshotRef: ref }) });
    await bench.live(ended(bench, "monday", kind));
    const { status } = await bench.get(kind, "monday");
    equal(status.conditions?.find(({ type }) => type === "Succeeded")?.reason, reason, status.lastError ?? "");
    match(status.lastError ?? "", words);
    equal(status.conditions?.find(({ type }) => type === "RolledBack")?.reason, "NothingChanged");
    deepEqual([changes(world), (await bench.vdb()).status.content?.id, bench.broken], [[], "c1", []]);
    equal(bench.seen.get("monday")?.includes("Stopping"), false, "the old database has answered all the time");
  });

test("free space counts where data is made: not for a return to the previous, nor where the engine does not tell its reserve", async () => {
  const untold = await stage();
  free(200, {})(untold);
  await untold.bench.apply(vdbRefresh, "monday", spec);
  await untold.bench.live(ended(untold.bench, "monday", vdbRefresh));
  free(200)(untold);
  await untold.bench.apply(vdbRewind, "undo", { ...spec, snapshotRef: { type: "previous" } });
  await untold.bench.live(ended(untold.bench, "undo", vdbRewind));
  const ends = [await untold.bench.get(vdbRefresh, "monday"), await untold.bench.get(vdbRewind, "undo")];
  deepEqual(
    ends.map(({ status }) => status.phase),
    ["Completed", "Completed"],
  );
});

test("once the pod is gone the next phase is told, and the data stays as it is until the database says that nothing has it open", async () => {
  const { bench, world } = await stage();
  bench.holdDatabase = true;
  await bench.client.delete(pods, { namespace: "shop", name: "orders-1" }, forever);
  await bench.apply(vdbRefresh, "monday", spec);
  await bench.live(async () => false, { seconds: 120 });
  const { phase, conditions } = (await bench.get(vdbRefresh, "monday")).status;
  deepEqual([phase, changes(world)], ["Refreshing", []]);
  equal(conditions?.find(({ type }) => type === "Ready")?.message, "PostgreSQL has shut down; its volume is detached");
  bench.holdDatabase = false;
  await bench.makePod("orders-2", contentIdOfAction((await bench.get(vdbRefresh, "monday")).metadata.uid));
  await bench.live(ended(bench, "monday", vdbRefresh), { seconds: 120 });
  deepEqual([(await bench.get(vdbRefresh, "monday")).status.phase, changes(world)], ["Completed", ["DB_REFRESH"]]);
});
