import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { describe, test } from "node:test";
import type { PostgresVDB, VdbContent } from "@vdb/api";
import { type DctConnection, DctError, type DctErrorKind } from "@vdb/dct";
import { dSourceId, type FakeDctOptions, FakeWorld, fakeDct } from "@vdb/dct/testing";
import { createClient } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import { aVdb } from "../../../vdb/testing.ts";
import { ActionFailed } from "../../action-failed.ts";
import type { ContentStore, Work } from "../../content-store.ts";
import { contentContract } from "../../testing/content-contract.ts";
import { createDctContent } from "./dct-content.ts";

const { signal } = new AbortController();
const id = "vdb-1";
const client = createClient(memoryApi(), { fieldManager: "test" });
const first: VdbContent = { id: "c1", madeBy: "create", openedTime: "2026-01-01T00:10:00Z", claimName: "orders-c1", handle: id };
const work = (status: Partial<PostgresVDB["status"]>): Work => ({
  client,
  vdb: aVdb({ status: { delphixID: id, pvcName: "orders-c1", ...status } }),
  action: { name: "monday", uid: "u" },
});

function stage(options: FakeDctOptions = {}): { readonly world: FakeWorld; readonly store: ContentStore } {
  const world = new FakeWorld();
  world.timeflows.set("tf-1", { id: "tf-1", dataset_id: id, creation_type: "INITIAL" });
  const parent = dSourceId("production");
  world.vdbs.set(id, { id, name: "orders", engine_id: "1", parent_id: parent, current_timeflow_id: "tf-1" });
  const dct = fakeDct(world, options);
  const connection: Pick<DctConnection, "call"> = { call: async (ask) => await ask(dct) };
  return { world, store: createDctContent(connection) };
}

contentContract("DCT", () => {
  const state = { down: false };
  const beforeCall = (): void => {
    if (state.down) throw new DctError("unreachable", "down");
  };
  const { world, store } = stage({ beforeCall });
  return {
    store,
    inPlace: true,
    work,
    first,
    dataOf: ({ timeflow = "tf-1" }) => (world.timeflows.has(timeflow) ? timeflow : undefined),
    changes: () => world.jobs.filter(({ type = "" }) => /REFRESH|ROLLBACK|SWITCH/u.test(type)).length,
    breakDown: () => void (state.down = true),
  };
});

const effect = `refresh ${id} to s from tf-1 taken unknown by none`;
const refusing = (kind: DctErrorKind, ...calls: readonly string[]): FakeDctOptions => ({
  beforeCall: (call) => {
    if (calls.includes(call)) throw new DctError(kind, "a clone depends on it");
  },
});
const afterRefresh = async (options: FakeDctOptions, previous = "tf-1") => {
  const made = stage(options);
  for (const timeflow of ["tf-2", "tf-3"]) made.world.timeflows.set(timeflow, { id: timeflow, dataset_id: id });
  made.world.vdbs.set(id, {
    ...made.world.vdbs.get(id),
    id,
    name: "orders",
    current_timeflow_id: "tf-2",
    previous_timeflow_id: previous,
  });
  return { ...made, current: () => made.world.vdbs.get(id)?.current_timeflow_id };
};

const content = { ...first, timeflow: "now" };
const old = (options: FakeDctOptions = {}, current: object = { current_timeflow_id: "now", previous_timeflow_id: "last" }) => {
  const made = stage(options);
  made.world.timeflows.delete("tf-1");
  for (const one of ["now", "last", "older"]) made.world.timeflows.set(one, { id: one, dataset_id: id });
  made.world.timeflows.set("foreign", { id: "foreign", dataset_id: "another" });
  made.world.vdbs.set(id, { id, name: "orders", engine_id: "1", ...current });
  return { store: made.store, left: () => [...made.world.timeflows.keys()].join(" ") };
};
const holding = (held: string): FakeDctOptions => ({
  beforeCall: (name, at) => {
    if (name === "deleteTimeflow" && at === held) throw new DctError("conflict", "a bookmark holds it");
  },
});

describe("giveBack", () => {
  test("refused: asked again, and the last time it is a failure that names both data and the way back", async () => {
    const { store, current } = await afterRefresh(refusing("refused", "switchTimeflow", "undoRefresh"));
    equal((await store.giveBack(work({ content: first }), effect, false, signal)).kind, "after");
    await rejects(store.giveBack(work({ content: first }), effect, true, signal), (error) => {
      if (!(error instanceof ActionFailed)) return false;
      equal(error.reason, "RollbackFailed");
      match(error.message, /\(timeflow tf-1\) .*\(timeflow tf-2\): a clone depends on it; both stay until .* previous$/u);
      return true;
    });
    equal(current(), "tf-2");
  });

  test("a DCT that does not switch undoes its last change, where that leads to the old data", async () => {
    const { store, current } = await afterRefresh(refusing("refused", "switchTimeflow"));
    await store.giveBack(work({ content: first }), effect, false, signal);
    equal(current(), "tf-1");
    const other = await afterRefresh(refusing("refused", "switchTimeflow"), "tf-3");
    equal((await other.store.giveBack(work({ content: first }), effect, false, signal)).kind, "after");
    equal(other.current(), "tf-2", "its last change was another");
  });

  test("a refresh that waits for its turn is abandoned; one that has begun is waited for", async () => {
    for (const [status, left] of [
      ["PENDING", "ABANDONED"],
      ["STARTED", "COMPLETED"],
    ] as const) {
      const { store, world, current } = await afterRefresh({});
      const job = world.startJob({ type: "DB_REFRESH", targetId: id }, "untilLooked", () => undefined);
      world.jobs[world.jobs.indexOf(job)] = { ...job, status };
      await store.giveBack(work({ content: first }), effect, false, signal);
      equal(world.jobs.find((one) => one.id === job.id)?.status, left);
      await store.giveBack(work({ content: first }), effect, false, signal);
      equal(current(), "tf-1");
    }
  });

  test("a DCT that abandons no job has it waited for", async () => {
    const { store, world } = await afterRefresh(refusing("notFound", "abandonJob"));
    const job = world.startJob({ type: "DB_REFRESH", targetId: id }, "untilLooked", () => undefined);
    world.jobs[world.jobs.indexOf(job)] = { ...job, status: "PENDING" };
    await store.giveBack(work({ content: first }), effect, false, signal);
    equal(world.jobs.find((one) => one.id === job.id)?.status, "COMPLETED");
  });

  test("a key that is refused says nothing of the data, and is waited for", async () => {
    const { store } = await afterRefresh(refusing("unauthorized", "switchTimeflow"));
    await rejects(store.giveBack(work({ content: first }), effect, true, signal), DctError);
  });
});

const bookmark = (name: string, snapshot: string) => ({ id: `b-${name}`, name, vdbs: [{ vdb_id: id, snapshot_id: snapshot }] });
test("needed: what bookmarks name, each with their names", async () => {
  const { world, store } = stage();
  world.bookmarks.push(bookmark("release", "s1"), bookmark("audit", "s1"), bookmark("other", "s9"));
  const needed = await store.needed(["s1", "s2"], signal);
  deepEqual(needed.kind === "told" && [...needed.value], [["s1", "bookmark audit, release"]]);
});

describe("what is not needed any more", () => {
  test("clear: all that no content names, of this VDB; one that is refused does not keep the others", async () => {
    const { store, left } = old(holding("last"));
    const previous = { ...first, id: "c0", timeflow: "older" };
    equal((await store.clear(work({ content, previous }), signal)).kind, "kept");
    equal(left(), "now last older foreign");
    equal((await store.clear(work({ content }), signal)).kind, "kept");
    equal(left(), "now last foreign");
  });

  test("clear: nothing where a content does not say its timeflow, or DCT not the current one", async () => {
    const unsaid = old();
    await unsaid.store.clear(work({ content: first }), signal);
    const unknown = old({}, {});
    await unknown.store.clear(work({ content }), signal);
    deepEqual([unsaid.left(), unknown.left()], ["now last older foreign", "now last older foreign"]);
  });

  test("discard: never the present data, nor data that nobody can name", async () => {
    for (const bytes of [{ timeflow: "now" }, {}]) {
      const { store, left } = old();
      equal((await store.discard(work({ content }), bytes, signal)).kind, "kept");
      equal(left(), "now last older foreign");
    }
  });

  test("discard: a job that takes longer is under way; one that is refused is told", async () => {
    const bytes = { timeflow: "last" };
    equal((await old({ jobs: 10_000 }).store.discard(work({ content }), bytes, signal)).kind, "underWay");
    const kept = await old(holding("last")).store.discard(work({ content }), bytes, signal);
    match(kept.kind === "kept" ? kept.message : "", /DCT keeps last: .*a bookmark holds it/u);
  });
});
