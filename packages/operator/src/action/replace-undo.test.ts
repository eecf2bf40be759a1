/** What is taken back of a refresh of a database in DCT, after trouble or a deletion, and what comes of an undo that DCT refuses. */
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, isFinished, postgresRefresh, resourceOf, vdbRefresh, vdbRewind } from "@vdb/api";
import { DctError } from "@vdb/dct";
import { type Api, ApiError, interceptApi } from "kube-runtime";
import { ended, forever } from "./action-bench.ts";
import { changes, spec, stage } from "./testing/replace-stage.ts";

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
