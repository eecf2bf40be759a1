import { deepEqual, equal, match, ok } from "node:assert/strict";
import { describe, test } from "node:test";
import { type ActionKind, postgresSnapshot, resourceOf, vdbSnapshot } from "@vdb/api";
import { type FakeDctOptions, FakeWorld, fakeDct } from "@vdb/dct/testing";
import { type ActionBench, actionBench, ended, forever, makeVolume, playSnapshots } from "./action-bench.ts";
import { lossy, mortal } from "./faults-bench.ts";

const kinds = [vdbSnapshot, postgresSnapshot];
const spec = { vdbRef: { name: "orders" } };
const example = {
  ...spec,
  preSnapshot: { type: "sql", content: "SELECT pg_start_backup('pre-snapshot');" },
  postSnapshot: { type: "sql", content: "SELECT pg_stop_backup();" },
};
const position = '(0/2000138,"START WAL LOCATION: 0/2000028 (file 000000010000000000000002)';

async function snapshotBench(): Promise<ActionBench> {
  const bench = await actionBench(kinds);
  await makeVolume(bench.client);
  // The session goes on until the snapshot is cut; hooks end at once.
  bench.play = (token) => (token.endsWith("backup-session") && !bench.ended.includes("cut") ? "running" : `exit 0\n${position}`);
  return bench;
}

test("a VDBSnapshot makes a VolumeSnapshot of its own name, which outlives it", async () => {
  const bench = await snapshotBench();
  await bench.apply(vdbSnapshot, "monday", { ...spec, ttlSecondsAfterFinished: 3600 });
  await bench.live(ended(bench, "monday", vdbSnapshot));
  const { status } = await bench.get(vdbSnapshot, "monday");
  deepEqual(bench.seen.get("monday"), ["Pending", "PreSnapshot", "Snapshotting", "PostSnapshot", "Finalizing", "Completed"]);
  deepEqual(
    "snapshot" in status && [
      status.snapshot?.type,
      status.snapshot?.name,
      status.snapshot?.readyToUse,
      status.snapshot?.sizeBytes,
    ],
    ["volume-snapshot", "monday", true, 2 ** 30],
  );
  deepEqual(await playSnapshots(bench.client), ["monday"]);
  deepEqual(bench.broken, []);
});

test("a PostgresSnapshot has its position, and says what it has translated", async () => {
  const bench = await snapshotBench();
  await bench.apply(postgresSnapshot, "monday", example);
  await bench.live(ended(bench, "monday", postgresSnapshot));
  const { status } = await bench.get(postgresSnapshot, "monday");
  equal(status.phase, "Completed", JSON.stringify(status, undefined, 1));
  deepEqual("lsn" in status && status.lsn, { begin: "0/2000028", end: "0/2000138", timeline: 1 });
  match(
    status.conditions?.find(({ type }) => type === "Translated")?.message ?? "",
    /pg_start_backup\('pre-snapshot'\) by pg_backup_start\('pre-snapshot', true\)/u,
  );
  deepEqual(bench.broken, []);
});

test("a session that is lost costs the snapshot", async () => {
  const bench = await snapshotBench();
  bench.play = () => (bench.ended.includes("cut") ? "interrupted\n" : "running");
  await bench.apply(postgresSnapshot, "monday", spec);
  await bench.live(ended(bench, "monday", postgresSnapshot));
  const { status } = await bench.get(postgresSnapshot, "monday");
  equal(status.conditions?.find(({ type }) => type === "Succeeded")?.reason, "Interrupted");
  match(status.lastError ?? "", /the snapshot is deleted$/u);
  deepEqual([await playSnapshots(bench.client), "snapshot" in status], [[], false]);
  deepEqual(bench.broken, []);
});

test("a post-snapshot hook that fails: Error, the snapshot kept and named", async () => {
  const bench = await snapshotBench();
  const vdbSpec = {
    hooks: [
      { name: "flush", stage: "post-snapshot", type: "sql", script: "SELECT 1", timeoutSeconds: 9, continueOnError: false },
    ],
  };
  await bench.changeVdb({ spec: vdbSpec });
  bench.play = () => "exit 3\nno";
  await bench.apply(vdbSnapshot, "monday", spec);
  await bench.live(ended(bench, "monday", vdbSnapshot));
  const { status } = await bench.get(vdbSnapshot, "monday");
  match(status.lastError ?? "", /^the post-snapshot hook flush failed with exit code 3/u);
  deepEqual(["snapshot" in status && status.snapshot?.name, await playSnapshots(bench.client)], ["monday", ["monday"]]);
  deepEqual(bench.broken, []);
});

test("somebody else's VolumeSnapshot of that name is refused and left alone", async () => {
  const bench = await snapshotBench();
  await bench.apply(vdbSnapshot, "monday", spec);
  await bench.live(ended(bench, "monday", vdbSnapshot));
  await bench.apply(postgresSnapshot, "monday", spec);
  await bench.live(ended(bench, "monday", postgresSnapshot));
  match(
    (await bench.get(postgresSnapshot, "monday")).status.lastError ?? "",
    /exists in the namespace shop and was not taken by this action/u,
  );
  deepEqual(await playSnapshots(bench.client), ["monday"]);
});

for (const [kind, given] of [
  [vdbSnapshot, spec],
  [postgresSnapshot, example],
] as const)
  test(`an operator that dies at any write of a ${kind.kind}: one snapshot, one session, every law holds`, async () => {
    const all = await dieAt(kind, given, Infinity, "before");
    ok(all >= 8, `${all} writes`);
    for (let death = 1; death <= all; death += 1)
      for (const moment of ["before", "after"] as const) await dieAt(kind, given, death, moment);
  });

async function dieAt(kind: ActionKind, given: object, death: number, moment: "before" | "after"): Promise<number> {
  const bench = await snapshotBench();
  const { wrap, written, isDead } = mortal(death, moment);
  await bench.apply(kind, "monday", given);
  await bench.live(async () => isDead() || (await ended(bench, "monday", kind)()), { api: wrap, seconds: 300 });
  await bench.live(ended(bench, "monday", kind), { seconds: 600 });
  const at = `${kind.kind}, ${moment} write ${death}`;
  const { status } = await bench.get(kind, "monday");
  equal(status.phase, "Completed", `${at}: ${status.lastError}`);
  equal(new Set(bench.begun).size, bench.begun.length, at);
  deepEqual(
    [bench.broken, (await bench.vdb()).status.activeAction, await playSnapshots(bench.client)],
    [[], undefined, ["monday"]],
    at,
  );
  return written();
}

for (const [kind, given] of [
  [vdbSnapshot, spec],
  [postgresSnapshot, example],
] as const)
  test(`a write of a ${kind.kind} that is lost, or whose answer is: one snapshot, and it is completed`, async () => {
    const all = await loseAt(kind, given, Infinity, "unsent");
    for (let nth = 1; nth <= all; nth += 1)
      for (const what of ["unsent", "answer lost"] as const) await loseAt(kind, given, nth, what);
  });

async function loseAt(kind: ActionKind, given: object, nth: number, what: "unsent" | "answer lost"): Promise<number> {
  const bench = await snapshotBench();
  const { wrap, written } = lossy(nth, what);
  await bench.apply(kind, "monday", given);
  await bench.live(ended(bench, "monday", kind), { api: wrap, seconds: 600 });
  const at = `${kind.kind}, write ${nth} ${what}`;
  const { status } = await bench.get(kind, "monday");
  equal(status.phase, "Completed", `${at}: ${status.lastError}`);
  deepEqual(
    [bench.broken, await playSnapshots(bench.client), new Set(bench.begun).size],
    [[], ["monday"], bench.begun.length],
    at,
  );
  return written();
}

test("deleted while its session waits for the cut: the session is ended as after one, the snapshot is deleted, the turn left", async () => {
  const bench = await snapshotBench();
  bench.holdSnapshots = true;
  await bench.apply(postgresSnapshot, "monday", example);
  await bench.live(async () => (await bench.get(postgresSnapshot, "monday")).status.phase === "Snapshotting", { seconds: 60 });
  await bench.client.delete(resourceOf<ActionKind>(postgresSnapshot), { namespace: "shop", name: "monday" }, forever);
  await bench.live(async () => (await bench.vdb()).status.activeAction === undefined, { seconds: 120 });
  deepEqual([bench.ended, await playSnapshots(bench.client), bench.broken], [["cut"], [], []]);
});

async function dctBench(options: FakeDctOptions = {}): Promise<{ readonly bench: ActionBench; readonly world: FakeWorld }> {
  const world = new FakeWorld();
  world.vdbs.set("vdb-1", { id: "vdb-1", name: "orders", engine_id: world.engine.id, enabled: true });
  const bench = await actionBench(kinds, fakeDct(world, options));
  await bench.setVdb({ delphixID: "vdb-1" });
  return { bench, world };
}
const taken = (world: FakeWorld) => world.snapshots().filter(({ dataset_id: dataset }) => dataset === "vdb-1");

describe("without a VolumeSnapshotClass, through DCT", () => {
  test("DCT takes it, and its id is its name", async () => {
    const { bench, world } = await dctBench();
    await bench.apply(vdbSnapshot, "monday", spec);
    await bench.live(ended(bench, "monday", vdbSnapshot));
    const { status } = await bench.get(vdbSnapshot, "monday");
    equal(status.phase, "Completed", status.lastError ?? "");
    const [only] = taken(world);
    deepEqual("snapshot" in status && [status.snapshot?.type, status.snapshot?.id, status.snapshot?.name], [
      "dct-snapshot",
      only?.id,
      only?.id,
    ]);
    deepEqual([taken(world).length, bench.broken], [1, []]);
  });

  test("a bookmark is made of it, once, whatever call is cut off; a name that is taken is refused, the snapshot kept", async () => {
    for (const cut of [undefined, ...Array.from({ length: 9 }, (_, at) => ({ at: at + 1, when: "after" as const }))]) {
      const { bench, world } = await dctBench({ jobs: 0, cut });
      await bench.apply(vdbSnapshot, "monday", { ...spec, bookmarkName: "before-release" });
      await bench.live(ended(bench, "monday", vdbSnapshot), { seconds: 900 });
      const { status } = await bench.get(vdbSnapshot, "monday");
      equal(status.phase, "Completed", `${cut?.at}: ${status.lastError}`);
      deepEqual(
        world.bookmarks.map(({ name, vdbs }) => [name, vdbs?.[0]?.snapshot_id]),
        [["before-release", taken(world)[0]?.id]],
      );
      if (cut !== undefined) continue;
      await bench.apply(vdbSnapshot, "tuesday", { ...spec, bookmarkName: "before-release" });
      await bench.live(ended(bench, "tuesday", vdbSnapshot));
      match((await bench.get(vdbSnapshot, "tuesday")).status.lastError ?? "", /another bookmark named before-release.*is kept$/u);
      deepEqual([taken(world).length, bench.broken], [2, []]);
    }
  });

  test("DCT's own failure is told, and nothing is left", async () => {
    const { bench, world } = await dctBench({ snapshotFailure: "no space left in the pool" });
    await bench.apply(vdbSnapshot, "monday", spec);
    await bench.live(ended(bench, "monday", vdbSnapshot));
    match((await bench.get(vdbSnapshot, "monday")).status.lastError ?? "", /^DCT took no snapshot: no space left in the pool/u);
    deepEqual([taken(world), (await bench.vdb()).status.activeAction], [[], undefined]);
  });

  test("any call to DCT cut off, before or after its effect: one snapshot", async () => {
    for (let at = 1; at <= 6; at += 1)
      for (const [when, jobs] of [
        ["before", "untilLooked"],
        ["after", "untilLooked"],
        ["after", 0], // its job is over when anybody looks again
      ] as const) {
        const { bench, world } = await dctBench({ cut: { at, when }, jobs });
        await bench.apply(vdbSnapshot, "monday", spec);
        await bench.live(ended(bench, "monday", vdbSnapshot), { seconds: 900 });
        equal((await bench.get(vdbSnapshot, "monday")).status.phase, "Completed", `${when} call ${at}`);
        deepEqual([taken(world).length, bench.broken], [1, []], `${when} call ${at}`);
      }
  });
});
