/** What gives a VDB other data, and what brings the old back: part of contract.ts. */
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { DctClient } from "../client.ts";
import type { Snapshot, Vdb } from "../contract/datasets.ts";
import type { DctErrorKind } from "../errors.ts";
import { allOf, eq } from "../filter.ts";
import { findVdb } from "../find.ts";

/** What the suite needs for it. */
export interface Contents {
  readonly subject: () => DctClient;
  readonly succeeded: (jobId: string) => Promise<void>;
  readonly provisioned: (name: string) => Promise<Vdb>;
  readonly removed: (id: string) => Promise<void>;
  /** The newest of the dSource `production`. */
  readonly newestSnapshot: () => Promise<Snapshot>;
  readonly failsAs: (kind: DctErrorKind) => (error: unknown) => boolean;
}

const { signal } = new AbortController();

export function contentContract({ subject, succeeded, provisioned, removed, newestSnapshot, failsAs }: Contents): void {
  const look = async (id: string): Promise<Vdb> => {
    const vdb = await findVdb(subject(), id, signal);
    ok(vdb !== undefined);
    return vdb;
  };
  const currentOf = async (id: string): Promise<string> => (await look(id)).current_timeflow_id ?? "";
  const done = async (started: Promise<{ readonly jobId: string }>): Promise<string> => {
    const { jobId } = await started;
    await succeeded(jobId);
    return jobId;
  };
  /** Takes a snapshot of a VDB. */
  const snapshotOf = async (id: string): Promise<Snapshot> => {
    const all = async () => await subject().searchSnapshots(eq("dataset_id", id));
    const before = new Set((await all()).map((one) => one.id));
    await done(subject().snapshotVdb(id));
    const taken = (await all()).find((one) => !before.has(one.id));
    ok(taken !== undefined);
    return taken;
  };

  void test("a refresh: a job of the VDB, a new timeflow that names its snapshot, the old one its previous", async () => {
    const { id, name, parent_id } = await provisioned("contract-refresh");
    const first = await currentOf(id);
    const snapshot = await newestSnapshot();
    for (const point of [{ snapshot_id: snapshot.id }, {}]) {
      const old = await currentOf(id);
      const job = await subject().getJob(await done(subject().refreshBySnapshot(id, point)));
      deepEqual([job?.type, job?.target_id, job?.target_name], ["DB_REFRESH", id, name]);
      const vdb = await look(id);
      notEqual(vdb.current_timeflow_id, old);
      deepEqual([vdb.id, vdb.name, vdb.parent_id, vdb.previous_timeflow_id], [id, name, parent_id, old]);
      equal(vdb.parent_timeflow_timestamp, snapshot.timestamp);
      const timeflow = await subject().getTimeflow(vdb.current_timeflow_id ?? "");
      deepEqual([timeflow?.dataset_id, timeflow?.creation_type, timeflow?.parent_snapshot_id], [id, "REFRESH", snapshot.id]);
    }
    await done(subject().refreshByTimestamp(id, { timestamp: snapshot.timestamp ?? "" }));
    const all = await subject().searchTimeflows(eq("dataset_id", id));
    equal(all.length, 4);
    ok(all.some((one) => one.id === first && one.creation_type === "INITIAL"));
    await removed(id);
    deepEqual(await subject().searchTimeflows(eq("dataset_id", id)), [], "they go with their VDB");
  });

  void test("an undo goes back to the previous timeflow, once; a switch to any of the VDB's", async () => {
    const { id } = await provisioned("contract-undo");
    const first = await currentOf(id);
    await rejects(subject().undoRefresh(id), failsAs("conflict"), "nothing to undo");
    await done(subject().refreshBySnapshot(id, {}));
    const second = await currentOf(id);
    await done(subject().undoRefresh(id));
    deepEqual([await currentOf(id), (await look(id)).previous_timeflow_id], [first, undefined]);
    await rejects(subject().undoRefresh(id), failsAs("conflict"), "a repeated request does not undo the undoing");
    await done(subject().switchTimeflow(id, { timeflow_id: second }));
    deepEqual([await currentOf(id), (await look(id)).previous_timeflow_id], [second, first]);
    await rejects(subject().switchTimeflow(id, { timeflow_id: second }), failsAs("conflict"), "it is the current one");
    await rejects(subject().deleteTimeflow(second), failsAs("conflict"), "it is the current one");
    await done(subject().deleteTimeflow(first));
    equal(await subject().getTimeflow(first), undefined);
    equal((await look(id)).previous_timeflow_id, undefined);
    await rejects(subject().deleteTimeflow(first), failsAs("notFound"));
    await removed(id);
  });

  void test("a rollback goes to the VDB's own snapshots alone; a snapshot outlives its timeflow", async () => {
    const { id } = await provisioned("contract-rollback");
    const first = await currentOf(id);
    const own = await snapshotOf(id);
    equal(own.timeflow_id, first);
    await rejects(subject().rollbackBySnapshot(id, { snapshot_id: (await newestSnapshot()).id }), failsAs("refused"));
    await done(subject().refreshBySnapshot(id, {}));
    await done(subject().deleteTimeflow(first));
    const job = await subject().getJob(await done(subject().rollbackBySnapshot(id, { snapshot_id: own.id })));
    deepEqual([job?.type, job?.target_id], ["DB_ROLLBACK", id]);
    const vdb = await look(id);
    const timeflow = await subject().getTimeflow(vdb.current_timeflow_id ?? "");
    deepEqual([timeflow?.creation_type, timeflow?.parent_snapshot_id], ["ROLLBACK", own.id]);
    equal(vdb.parent_timeflow_timestamp, own.timestamp);
    // Scripts rewind with a refresh.
    await done(subject().refreshBySnapshot(id, { snapshot_id: own.id }));
    await done(subject().rollbackByTimestamp(id, { timestamp: own.timestamp ?? "" }));
    await rejects(subject().rollbackByTimestamp(id, { timestamp: "1999-01-01T00:00:00Z" }), failsAs("conflict"));
    await removed(id);
  });

  void test("a bookmark names a snapshot, keeps it, and leads back to it", async () => {
    const { id } = await provisioned("contract-bookmark");
    const own = await snapshotOf(id);
    const named = await subject().createBookmark({ name: "before", snapshot_ids: [own.id] });
    const now = await subject().createBookmark({ name: "now", vdb_ids: [id] });
    for (const { jobId } of [named, now]) await succeeded(jobId);
    const [found] = await subject().searchBookmarks(allOf(eq("name", "before"), eq("vdb_ids", id)));
    deepEqual([found?.id, found?.bookmark_status, found?.vdbs?.[0]?.snapshot_id], [named.bookmark.id, "ACTIVE", own.id]);
    const taken = (await subject().getBookmark(now.bookmark.id))?.vdbs?.[0]?.snapshot_id ?? "";
    equal((await subject().getSnapshot(taken))?.dataset_id, id, "one of the VDB as of now");
    await rejects(subject().deleteSnapshot(own.id), failsAs("conflict"), "the bookmark names it");
    await done(subject().rollbackFromBookmark(id, { bookmark_id: named.bookmark.id }));
    await done(subject().refreshFromBookmark(id, { bookmark_id: named.bookmark.id }));
    equal((await subject().getTimeflow(await currentOf(id)))?.parent_snapshot_id, own.id);
    await done(subject().deleteBookmark(named.bookmark.id));
    equal(await subject().getBookmark(named.bookmark.id), undefined);
    await rejects(subject().refreshFromBookmark(id, { bookmark_id: named.bookmark.id }), failsAs("notFound"));
    await done(subject().deleteSnapshot(own.id));
    await rejects(subject().createBookmark({ name: "empty" }), failsAs("refused"));
    await done(subject().deleteBookmark(now.bookmark.id));
    await removed(id);
  });

  void test("what is not there gives a VDB no data", async () => {
    const { id } = await provisioned("contract-nothing");
    const current = await currentOf(id);
    await rejects(subject().refreshBySnapshot("nobody", {}), failsAs("notFound"));
    await rejects(subject().refreshBySnapshot(id, { snapshot_id: "nothing" }), failsAs("notFound"));
    await rejects(subject().rollbackFromBookmark(id, { bookmark_id: "nothing" }), failsAs("notFound"));
    await rejects(subject().switchTimeflow(id, { timeflow_id: "nothing" }), failsAs("conflict"));
    await rejects(subject().deleteTimeflow("nothing"), failsAs("notFound"));
    equal(await currentOf(id), current);
    await removed(id);
  });
}
