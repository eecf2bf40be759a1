import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, isFinished, postgresRefresh, postgresRewind, resourceOf, vdbRefresh, vdbRewind } from "@vdb/api";
import { DctError } from "@vdb/dct";
import { type Api, ApiError, interceptApi, pods } from "kube-runtime";
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

for (const trouble of ["beforeHooks", "beforeOpen"] as const)
  test(`new data that does not get to ${trouble} brings the old back, under its id`, async () => {
    const { bench, world, current } = await stage();
    bench.trouble = trouble;
    await bench.apply(vdbRefresh, "monday", spec);
    await bench.live(ended(bench, "monday", vdbRefresh));
    const { status } = await bench.get(vdbRefresh, "monday");
    deepEqual([status.phase, status.lastError], ["Error", "there is no database"]);
    equal(status.conditions?.find(({ type }) => type === "RolledBack")?.reason, "RolledBack");
    const vdb = (await bench.vdb()).status;
    deepEqual(
      [current(), vdb.content?.id, vdb.content?.openedTime, vdb.activeAction],
      ["tf-1", "c1", "2026-01-01T00:10:00Z", undefined],
    );
    deepEqual([changes(world), bench.broken], [["DB_REFRESH", "DB_SWITCH_TIMEFLOW"], []]);
  });

/** An API server that cannot be reached for the write that swaps the data. */
const withoutSwap = (api: Api): Api =>
  interceptApi(api, {
    call: async ({ body }, next) => {
      if (JSON.stringify(body ?? {}).includes('"replaced":{')) throw new ApiError({ kind: "unavailable" }, "no answer");
      return await next();
    },
  });

const refuseReturn = (call: string): void => {
  if (["switchTimeflow", "undoRefresh"].includes(call)) throw new DctError("refused", "something depends on it");
};

test("what cannot be taken back before the swap was written is not opened as the old data", async () => {
  const refuses = { on: false };
  const beforeCall = (call: string): void => {
    if (refuses.on) refuseReturn(call);
  };
  const { bench, current } = await stage({ beforeCall });
  await bench.apply(vdbRefresh, "monday", spec);
  await bench.live(async () => current() !== "tf-1", { api: withoutSwap, seconds: 120 });
  equal((await bench.vdb()).status.content?.id, "c1", "the swap is not written yet: else this proves nothing");
  refuses.on = true;
  await bench.client.delete(resourceOf<ActionKind>(vdbRefresh), { namespace: "shop", name: "monday" }, forever);
  await bench.live(async () => false, { seconds: 60 });
  const { content } = (await bench.vdb()).status;
  deepEqual([current() === "tf-1", content?.id === "c1", content?.openedTime], [false, false, undefined]);
  refuses.on = false;
  await bench.live(async () => (await bench.vdb()).status.activeAction === undefined, { seconds: 600 });
  deepEqual([current(), (await bench.vdb()).status.content?.id], ["tf-1", "c1"], "it is taken back as soon as DCT lets it");
});

test("an undo that DCT refuses again and again ends after ten minutes, with both data named and kept", async () => {
  const { bench, world, current } = await stage({ beforeCall: refuseReturn });
  bench.trouble = "beforeOpen";
  await bench.apply(vdbRefresh, "monday", spec);
  await bench.live(ended(bench, "monday", vdbRefresh), { seconds: 300 });
  equal(isFinished(await bench.get(vdbRefresh, "monday")), false, "the refusal may pass");
  bench.trouble = undefined;
  await bench.live(ended(bench, "monday", vdbRefresh), { seconds: 900 });
  const { status } = await bench.get(vdbRefresh, "monday");
  equal(status.conditions?.find(({ type }) => type === "RolledBack")?.reason, "RollbackFailed");
  match(status.lastError ?? "", /\(timeflow tf-1\) .*something depends on it; both stay until .* previous/u);
  const vdb = (await bench.vdb()).status;
  deepEqual(
    [vdb.previous?.id, vdb.previous?.timeflow, vdb.previous?.until, vdb.activeAction],
    ["c1", "tf-1", undefined, undefined],
  );
  deepEqual([vdb.content?.timeflow, world.timeflows.has("tf-1")], [current(), true]);
  deepEqual(bench.broken, []);
});

test("an undo that DCT refuses for good keeps the old data, with nothing of what was previous, until a rewind returns to it", async () => {
  const fails: { words: string | undefined } = { words: "no room" };
  const { bench, world, current } = await stage({ switchFailure: () => fails.words });
  const snapshot = { id: "s0", name: "older" };
  const [until, moment] = ["2026-01-01T00:40:00Z", "2025-12-30T00:00:00Z"];
  const older = { id: "c0", madeBy: "rewind", until, takenOpen: true, openedTime: moment, dataTimestamp: moment, snapshot };
  await bench.setVdb({ previous: older });
  const { content } = (await bench.vdb()).status;
  bench.trouble = "beforeOpen";
  await bench.apply(vdbRefresh, "monday", spec);
  await bench.live(ended(bench, "monday", vdbRefresh));
  const { status } = await bench.get(vdbRefresh, "monday");
  equal(status.conditions?.find(({ type }) => type === "RolledBack")?.reason, "RollbackFailed");
  match(
    status.lastError ?? "",
    /old data \(timeflow tf-1\) in place of the new \(timeflow .*no room; both stay until .* previous/u,
  );
  const vdb = (await bench.vdb()).status;
  deepEqual(
    [vdb.previous, vdb.activeAction],
    [{ ...content, timeflow: "tf-1" }, undefined],
    "no end, and nothing of the older data",
  );
  deepEqual([current() === "tf-1", world.timeflows.has("tf-1")], [false, true]);
  [fails.words, bench.trouble] = [undefined, undefined];
  await bench.apply(vdbRewind, "back", { ...spec, snapshotRef: { type: "previous" } });
  await bench.live(ended(bench, "back", vdbRewind));
  deepEqual([(await bench.get(vdbRewind, "back")).status.phase, current()], ["Completed", "tf-1"]);
  deepEqual([(await bench.vdb()).status.content?.takenOpen, bench.broken], [true, []]);
});

test("deleted in each phase, it is taken back, or goes on to its end", async () => {
  for (const phase of ["PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh", "Finalizing"]) {
    const { bench, current } = await stage();
    await bench.apply(postgresRefresh, "monday", spec);
    await bench.live(async () => bench.seen.get("monday")?.includes(phase) === true, { seconds: 120 });
    await bench.client.delete(resourceOf<ActionKind>(postgresRefresh), { namespace: "shop", name: "monday" }, forever);
    const gone = async () => (await bench.client.list(resourceOf<ActionKind>(postgresRefresh), {}, forever)).items.length === 0;
    await bench.live(gone, { seconds: 600 });
    equal(await gone(), true, phase);
    const vdb = (await bench.vdb()).status;
    // It may have gone on before the deletion came; from its point of no return it is not taken back.
    const isDone = bench.seen.get("monday")?.includes("Finalizing") === true;
    deepEqual([vdb.activeAction, vdb.content?.id === "c1", current() === "tf-1"], [undefined, !isDone, !isDone], phase);
    if (phase === "Starting") equal(isDone, false, "a deletion in the middle is one that takes back");
  }
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
