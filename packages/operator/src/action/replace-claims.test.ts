/** Refreshes and rewinds of databases of plain CSI: their data lies on claims, of which the status names one. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, postgresRefresh, postgresRewind, resourceOf, vdbRefresh, vdbRewind, vdbSnapshot } from "@vdb/api";
import { persistentVolumeClaims, persistentVolumes } from "kube-runtime";
import { takenAt } from "../data/testing/csi-storage.ts";
import { type ActionBench, ended, forever } from "./action-bench.ts";
import { claimNames as claims, claimsBench, snapshotNames as snapshots } from "./claims-bench.ts";
import { type Faulty, faultTests } from "./faults-bench.ts";

const kinds = [vdbRefresh, vdbRewind, postgresRefresh, postgresRewind, vdbSnapshot];
const spec = { vdbRef: { name: "orders" } };

const stage = async (type?: "pvc-clone" | "k8s-snapshot"): Promise<ActionBench> => await claimsBench(kinds, type);

async function done(bench: ActionBench, kind: ActionKind, name: string, more: object = {}): Promise<void> {
  await bench.apply(kind, name, { ...spec, ...more });
  await bench.live(ended(bench, name, kind));
  const { status } = await bench.get(kind, name);
  equal(status.phase, "Completed", status.lastError ?? "");
}

for (const type of ["pvc-clone", "k8s-snapshot"] as const)
  test(`a refresh of a ${type} has a claim of its own; the old one is the previous`, async () => {
    const bench = await stage(type);
    await done(bench, vdbRefresh, "monday");
    const { content, previous, pvcName, delphixID, dataTimestamp, activeAction } = (await bench.vdb()).status;
    ok(content?.claimName !== undefined && content.claimName !== "orders-c1");
    deepEqual([content.madeBy, pvcName, delphixID], ["refresh", content.claimName, `handle-of-${content.claimName}`]);
    deepEqual([previous?.id, previous?.claimName, previous?.until !== undefined], ["c1", "orders-c1", true]);
    deepEqual([dataTimestamp, activeAction], [takenAt, undefined]);
    deepEqual(await claims(bench), ["orders-c1", content.claimName, "origin"].toSorted());
    deepEqual(await snapshots(bench), ["monday"], "what the claim was copied through is gone");
    equal((await bench.vdb()).status.source?.snapshotName, type === "pvc-clone" ? undefined : "monday");
    deepEqual(bench.broken, []);
  });

test("previous is the claim of before, as it was; twice returns", async () => {
  const bench = await stage();
  await done(bench, vdbRefresh, "monday");
  const fresh = (await bench.vdb()).status.content?.claimName;
  await done(bench, vdbRewind, "undo", { snapshotRef: { type: "previous" } });
  const undone = (await bench.vdb()).status;
  deepEqual(
    [undone.content?.claimName, undone.content?.takenOpen, undone.pvcName, undone.previous?.claimName],
    ["orders-c1", true, "orders-c1", fresh],
  );
  await done(bench, postgresRewind, "redo", { snapshotRef: { type: "previous" } });
  const again = (await bench.vdb()).status;
  deepEqual([again.content?.claimName, again.previous?.claimName], [fresh, "orders-c1"]);
  deepEqual(await claims(bench), ["orders-c1", fresh ?? "", "origin"].toSorted());
});

test("the claim of what was previous until now goes, and no other", async () => {
  const bench = await stage("k8s-snapshot");
  await done(bench, vdbRefresh, "monday");
  const first = (await bench.vdb()).status.content?.claimName ?? "";
  await done(bench, postgresRefresh, "tuesday");
  const second = (await bench.vdb()).status.content?.claimName ?? "";
  deepEqual(await claims(bench), [first, second, "origin"].toSorted());
  equal((await bench.vdb()).status.previous?.claimName, first);
});

test("with previousRetention 0 the old claim goes at once", async () => {
  const bench = await stage();
  await done(bench, vdbRefresh, "monday", { previousRetention: "0s" });
  const { content, previous } = (await bench.vdb()).status;
  deepEqual([previous, await claims(bench)], [undefined, [content?.claimName ?? "", "origin"].toSorted()]);
});

test("a rewind takes the latest own snapshot", async () => {
  const bench = await stage();
  await done(bench, vdbSnapshot, "own");
  await done(bench, vdbRewind, "back");
  const { content } = (await bench.vdb()).status;
  deepEqual([content?.madeBy, content?.takenOpen, content?.snapshot?.name], ["rewind", true, "own"]);
  const key = { namespace: "shop", name: content?.claimName ?? "" };
  equal((await bench.client.get(persistentVolumeClaims, key, forever)).spec.dataSource?.name, "own");
});

for (const trouble of ["beforeHooks", "beforeOpen"] as const)
  test(`new data that does not get to ${trouble} brings the old claim back, and its own goes`, async () => {
    const bench = await stage();
    bench.trouble = trouble;
    await bench.apply(vdbRefresh, "monday", spec);
    await bench.live(ended(bench, "monday", vdbRefresh));
    const { status } = await bench.get(vdbRefresh, "monday");
    deepEqual([status.phase, status.lastError], ["Error", "there is no database"]);
    equal(status.conditions?.find(({ type }) => type === "RolledBack")?.reason, "RolledBack");
    const vdb = (await bench.vdb()).status;
    deepEqual(
      [vdb.content?.id, vdb.content?.openedTime, vdb.pvcName, vdb.delphixID, vdb.activeAction],
      ["c1", "2026-01-01T00:10:00Z", "orders-c1", "handle-of-orders-c1", undefined],
    );
    deepEqual([await claims(bench), await snapshots(bench), bench.broken], [["orders-c1", "origin"], ["monday"], []]);
  });

test("a refusal costs no downtime and leaves nothing", async () => {
  const bench = await stage();
  await bench.apply(postgresRefresh, "monday", { ...spec, snapshotRef: { type: "dct-snapshot", name: "1-S-1" } });
  await bench.live(ended(bench, "monday", postgresRefresh));
  const { status } = await bench.get(postgresRefresh, "monday");
  equal(status.conditions?.find(({ type }) => type === "Succeeded")?.reason, "SnapshotNotUsable");
  match(status.lastError ?? "", /names data in DCT/u);
  equal(bench.seen.get("monday")?.includes("Stopping"), false, "the old database has answered all the time");
  deepEqual(await claims(bench), ["orders-c1", "origin"]);
});

test("deleted in each phase, it is taken back, or goes on to its end: no claim is left over", async () => {
  for (const phase of ["PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh", "Finalizing"]) {
    const bench = await stage();
    await bench.apply(postgresRefresh, "monday", spec);
    await bench.live(async () => bench.seen.get("monday")?.includes(phase) === true, { seconds: 120 });
    await bench.client.delete(resourceOf<ActionKind>(postgresRefresh), { namespace: "shop", name: "monday" }, forever);
    const gone = async () => (await bench.client.list(resourceOf<ActionKind>(postgresRefresh), {}, forever)).items.length === 0;
    await bench.live(gone, { seconds: 600 });
    equal(await gone(), true, phase);
    const { content, activeAction } = (await bench.vdb()).status;
    const isDone = bench.seen.get("monday")?.includes("Finalizing") === true;
    const expected = isDone ? ["orders-c1", content?.claimName ?? "", "origin"] : ["orders-c1", "origin"];
    deepEqual([activeAction, content?.id === "c1", await claims(bench)], [undefined, !isDone, expected.toSorted()], phase);
  }
});

interface Loop {
  readonly name: string;
  readonly kind: ActionKind;
  readonly snapshotRef?: object;
  readonly trouble?: "beforeOpen";
}
const loops: readonly Loop[] = [
  { name: "VDBRefresh", kind: vdbRefresh },
  { name: "PostgresRefresh that is taken back", kind: postgresRefresh, trouble: "beforeOpen" },
  { name: "VDBRewind to its own snapshot", kind: vdbRewind, snapshotRef: { type: "volume-snapshot", name: "own" } },
  { name: "VDBRewind to the previous data", kind: vdbRewind, snapshotRef: { type: "previous" } },
  {
    name: "PostgresRewind to the previous data that is taken back",
    kind: postgresRewind,
    snapshotRef: { type: "previous" },
    trouble: "beforeOpen",
  },
];
for (const loop of loops)
  faultTests(
    { name: `${loop.name} of a pvc-clone`, holds: "old data or new, one claim for each", writes: 10 },
    async (faultAt, nth) => await through(loop, faultAt, nth),
  );

/** On a database that has a snapshot of its own, and earlier data on a claim of its own. */
async function through({ kind, snapshotRef, trouble }: Loop, faultAt: (nth: number) => Faulty, nth: number): Promise<number> {
  const bench = await stage();
  await done(bench, vdbSnapshot, "own");
  await done(bench, vdbRefresh, "earlier");
  const before = (await bench.vdb()).status;
  const [now, earlier] = [before.content?.claimName ?? "", before.previous?.claimName ?? ""];
  bench.trouble = trouble;
  const fault = faultAt(nth);
  await bench.apply(kind, "deed", { ...spec, ...(snapshotRef === undefined ? {} : { snapshotRef }) });
  await bench.live(async () => fault.isDead() || (await ended(bench, "deed", kind)()), { api: fault.wrap, seconds: 300 });
  await bench.live(ended(bench, "deed", kind), { seconds: 900 });
  const { status } = await bench.get(kind, "deed");
  const { content, previous, activeAction } = (await bench.vdb()).status;
  const at = `write ${nth}: ${status.lastError}`;
  const isNew = trouble === undefined;
  deepEqual([status.phase, activeAction, bench.broken], [isNew ? "Completed" : "Error", undefined, []], at);
  equal(content?.id === before.content?.id, !isNew, at);
  const present = content?.claimName ?? "";
  const isCopy = isNew && present !== earlier;
  deepEqual([present, previous?.claimName], isNew ? [isCopy ? present : earlier, now] : [now, earlier], at);
  deepEqual(
    [await claims(bench), await snapshots(bench)],
    [[now, isCopy ? present : earlier, "origin"].toSorted(), ["monday", "own"]],
    at,
  );
  const volumes = (await bench.client.list(persistentVolumes, {}, forever)).items.length;
  ok(volumes <= 4, `${at}: ${volumes} volumes were made, and each of the new data's is one`);
  return fault.written();
}
