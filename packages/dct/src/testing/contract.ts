/**
 * What everyone who calls DCT relies on, as tests over a client. They hold for the embedded engine and for the fake in memory;
 * a customer's own DCT can be tried with them too.
 */
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { DctClient } from "../client.ts";
import type { Snapshot, Vdb } from "../contract/datasets.ts";
import { DctError, type DctErrorKind } from "../errors.ts";
import { allOf, anyOf, contains, eq, type Filter, not, notEq, oneOf } from "../filter.ts";
import { findVdb, unfinishedJobOf } from "../find.ts";
import { waitForJob } from "../wait-for-job.ts";
import { contentContract } from "./content-contract.ts";

/** A DCT with one engine, one group, one environment, and a dSource `production` that has a snapshot. Asked at each use. */
export type Subject = () => DctClient;

const { signal } = new AbortController();

const failsAs = (kind: DctErrorKind) => (error: unknown) => {
  ok(error instanceof DctError, String(error));
  equal(error.kind, kind, error.message);
  return true;
};

export function dctContract(subject: Subject): void {
  const succeeded = async (jobId: string): Promise<void> => {
    const end = await waitForJob(subject(), jobId, { signal, deadlineSeconds: 60 });
    equal(end.kind, "succeeded", "message" in end ? end.message : jobId);
  };
  const newestSnapshot = async (): Promise<Snapshot> => {
    const [source] = await subject().searchDSources(eq("name", "production"));
    const [snapshot] = await subject().searchSnapshots(eq("dataset_id", source?.id ?? ""), { sort: "-timestamp", limit: 1 });
    ok(snapshot !== undefined, "the dSource has a snapshot");
    return snapshot;
  };
  const provisioned = async (name: string): Promise<Vdb> => {
    const { vdbId, jobId } = await subject().provisionBySnapshot({ name, snapshot_id: (await newestSnapshot()).id });
    await succeeded(jobId);
    const vdb = await findVdb(subject(), vdbId, signal);
    ok(vdb !== undefined, "its job is done: it is there");
    return vdb;
  };
  const removed = async (id: string): Promise<void> => await succeeded((await subject().deleteVdb(id)).jobId);

  void test("filters say what they say", async () => {
    const [yes, no] = [eq("name", "production"), eq("name", "nothing")];
    const rows: readonly (readonly [Filter, number])[] = [
      [yes, 1],
      [no, 0],
      [notEq("name", "nothing"), 1],
      [not(yes), 0],
      [allOf(yes, no), 0],
      [anyOf(no, yes), 1],
      [allOf(yes, not(no)), 1],
      [oneOf("name", ["nothing", "production"]), 1],
      [oneOf("name", ["nothing"]), 0],
      [contains("name", "roduct"), 1],
      [eq("name", "it's"), 0],
      [eq("name", 'a "name"'), 0],
    ];
    for (const [filter, count] of rows) equal((await subject().searchDSources(filter)).length, count, filter);
  });

  void test("what is not there is undefined to look at, and an error to act on", async () => {
    equal(await subject().getVdb("nobody"), undefined);
    equal(await findVdb(subject(), "nobody", signal), undefined);
    equal(await subject().getJob("00000000-0000-4000-8000-000000000000"), undefined);
    await rejects(subject().deleteVdb("nobody"), failsAs("notFound"));
    await rejects(subject().enableVdb("nobody"), failsAs("notFound"));
    await rejects(subject().provisionBySnapshot({ name: "x", snapshot_id: "nothing" }), failsAs("notFound"));
  });

  void test("a VDB: made by a job that names it, its name taken once, its origin known, gone after its deletion", async () => {
    const snapshot = await newestSnapshot();
    const vdb = await provisioned("contract-life");
    equal(vdb.name, "contract-life");
    deepEqual([vdb.parent_id, vdb.parent_timeflow_timestamp], [snapshot.dataset_id, snapshot.timestamp]);
    notEqual(vdb.exported_data_directory, undefined);
    deepEqual(
      (await subject().searchVdbs(eq("name", "contract-life"))).map(({ id }) => id),
      [vdb.id],
    );
    const [first] = await subject().searchJobs(eq("target_id", vdb.id), { sort: "start_time", limit: 1 });
    deepEqual([first?.type, first?.status, first?.target_name], ["DB_PROVISION", "COMPLETED", "contract-life"]);
    equal(await unfinishedJobOf(subject(), vdb.id, signal), undefined);
    await rejects(
      subject().provisionBySnapshot({ name: "contract-life", snapshot_id: snapshot.id }),
      failsAs("conflict"),
      "the same request a second time",
    );
    await removed(vdb.id);
    equal(await subject().getVdb(vdb.id), undefined);
    deepEqual(await subject().searchVdbs(eq("name", "contract-life")), []);
    await removed((await provisioned("contract-life")).id); // its name is free again
  });

  void test("tags of a VDB: added to those it has, searched by key and by a part of a value, taken off by key", async () => {
    const { id } = await provisioned("contract-tags");
    const tags = async () => (await findVdb(subject(), id, signal))?.tags ?? [];
    await subject().tagVdb(id, [{ key: "kept/it's", value: "1 a" }]);
    await subject().tagVdb(id, [{ key: "taken", value: "2 b" }]);
    deepEqual(await tags(), [
      { key: "kept/it's", value: "1 a" },
      { key: "taken", value: "2 b" },
    ]);
    for (const filter of [eq("tags.key", "kept/it's"), contains("tags.value", "1 ")])
      deepEqual(
        (await subject().searchVdbs(filter)).map((vdb) => vdb.id),
        [id],
      );
    for (let turn = 0; turn < 2; turn += 1) await subject().untagVdb(id, "taken");
    deepEqual(await tags(), [{ key: "kept/it's", value: "1 a" }]);
    deepEqual(await subject().searchVdbs(eq("tags.key", "taken")), []);
    await rejects(subject().tagVdb("nobody", [{ key: "a", value: "b" }]), failsAs("notFound"));
    await removed(id);
  });

  void test("a snapshot of a VDB: taken by a job of the VDB, newer than what it had, gone by a job of its own", async () => {
    const { id } = await provisioned("contract-snapshot");
    const all = () => subject().searchSnapshots(eq("dataset_id", id), { sort: "-creation_time" });
    const before = new Set((await all()).map((one) => one.id));
    const { jobId } = await subject().snapshotVdb(id);
    await succeeded(jobId);
    const job = await subject().getJob(jobId);
    deepEqual([job?.type, job?.target_id], ["DB_SNAPSHOT", id]);
    const [taken, ...others] = (await all()).filter((one) => !before.has(one.id));
    ok(taken !== undefined && others.length === 0);
    ok(Math.abs(Date.parse(taken.creation_time ?? "") - Date.parse(job?.start_time ?? "")) < 1000, "made when its job began");
    const copy = await subject().provisionBySnapshot({ name: "contract-copy", snapshot_id: taken.id, source_data_id: id });
    await succeeded(copy.jobId);
    await succeeded((await subject().deleteSnapshot(taken.id)).jobId);
    equal(await subject().getSnapshot(taken.id), undefined);
    await rejects(subject().deleteSnapshot(taken.id), failsAs("notFound"));
    await removed(copy.vdbId); // stays when the snapshot goes
    await removed(id);
  });

  void test("enabled when it is made; disabled and enabled by jobs that may be repeated", async () => {
    const { id } = await provisioned("contract-enabled");
    const enabled = async (): Promise<boolean | undefined> => (await findVdb(subject(), id, signal))?.enabled;
    equal(await enabled(), true);
    for (let turn = 0; turn < 2; turn += 1) await succeeded((await subject().disableVdb(id)).jobId);
    equal(await enabled(), false);
    await succeeded((await subject().enableVdb(id)).jobId);
    equal(await enabled(), true);
    await removed(id);
  });

  void test("what is asked a second time, because the answer was lost, has one effect", async () => {
    const snapshot = await newestSnapshot();
    const { id } = await provisioned("contract-twice");
    const tag = { key: "mark", value: "1" };
    for (let turn = 0; turn < 2; turn += 1) await subject().tagVdb(id, [tag]);
    deepEqual((await findVdb(subject(), id, signal))?.tags, [tag]);
    await rejects(subject().provisionBySnapshot({ name: "contract-twice", snapshot_id: snapshot.id }), failsAs("conflict"));
    const { jobId } = await subject().snapshotVdb(id);
    const found = await unfinishedJobOf(subject(), id, signal);
    ok(found === undefined || found.id === jobId, "the job is found by its target while it runs");
    await succeeded(jobId);
    const [taken] = await subject().searchSnapshots(eq("dataset_id", id), { sort: "-creation_time", limit: 1 });
    await succeeded((await subject().deleteSnapshot(taken?.id ?? "")).jobId);
    await rejects(subject().deleteSnapshot(taken?.id ?? ""), failsAs("notFound"));
    const first = await subject().deleteVdb(id);
    const second = await subject()
      .deleteVdb(id)
      .catch((error: unknown) => {
        failsAs("notFound")(error);
        return first;
      });
    for (const { jobId: deletion } of [first, second]) await succeeded(deletion);
    equal(await subject().getVdb(id), undefined);
  });

  void test("a job that is abandoned ends so, and leaves nothing; one that has ended is not", async () => {
    const { id } = await provisioned("contract-abandoned");
    const count = async (): Promise<number> => (await subject().searchSnapshots(eq("dataset_id", id))).length;
    const before = await count();
    // Jobs of one VDB run one after the other: the last waits while the others run.
    const jobs: string[] = [];
    for (let turn = 0; turn < 6; turn += 1) jobs.push((await subject().snapshotVdb(id)).jobId);
    const last = jobs.pop() ?? "";
    await subject().abandonJob(last);
    for (const job of jobs) await succeeded(job);
    const end = await waitForJob(subject(), last, { signal, deadlineSeconds: 60 });
    equal(end.kind, "failed");
    equal((await subject().getJob(last))?.status, "ABANDONED");
    equal(await count(), before + jobs.length);
    await rejects(subject().abandonJob(jobs[0] ?? ""), failsAs("conflict"));
    await rejects(subject().abandonJob("00000000-0000-4000-8000-000000000000"), failsAs("notFound"));
    await removed(id);
  });

  contentContract({ subject, succeeded, provisioned, removed, newestSnapshot, failsAs });
}
