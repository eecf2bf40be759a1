import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, postgresTask, postgresVDB, resourceOf, task } from "@vdb/api";
import { type ActionBench, actionBench, ended as endedOf, forever } from "./action-bench.ts";
import { mortal } from "./faults-bench.ts";

const kinds = [postgresTask, task];
const sql = { targetRef: { name: "orders" }, content: "SELECT 1" };
const ended = (bench: ActionBench, name: string, kind: ActionKind = postgresTask) => endedOf(bench, name, kind);
const reason = async (bench: ActionBench, name: string) =>
  (await bench.get(postgresTask, name)).status.conditions?.find(({ type }) => type === "Reconciling")?.reason;

test("a task runs once, through its phases, and leaves its turn", async () => {
  const bench = await actionBench(kinds);
  bench.play = () => "exit 0\n count \n-------\n     1\n(1 row)\n";
  await bench.apply(postgresTask, "one", sql);
  await bench.live(ended(bench, "one"));
  const { status } = await bench.get(postgresTask, "one");
  deepEqual(bench.seen.get("one"), ["Pending", "Running", "Finalizing", "Completed"]);
  equal("output" in status ? status.output : "", " count \n-------\n     1\n(1 row)");
  deepEqual(["exitCode" in status && status.exitCode, "attempts" in status && status.attempts], [0, 1]);
  ok(status.duration !== undefined && status.startTime !== undefined && status.completionTime !== undefined);
  equal(bench.begun.length, 1);
  equal((await bench.vdb()).status.activeAction, undefined);
  deepEqual(bench.broken, []);
});

test("one that fails is run again as its retryPolicy has it, and then told", async () => {
  const bench = await actionBench(kinds);
  bench.play = () => "exit 3\nline 1: ERROR:  22012: division by zero, a-good-password";
  await bench.apply(postgresTask, "one", { ...sql, retryPolicy: { maxRetries: 2, delay: 30 } });
  const from = bench.clock.now();
  await bench.live(ended(bench, "one"));
  const { status } = await bench.get(postgresTask, "one");
  equal(status.phase, "Error");
  match(status.lastError ?? "", /^the SQL failed with exit code 3; .*22012: division by zero, \*\*\*$/u);
  deepEqual(
    bench.begun.map((token) => token.split("-attempt-")[1]),
    ["1", "2", "3"],
  );
  ok(bench.clock.now() - from >= 60_000, "it waits between the attempts");
  equal((await bench.vdb()).status.activeAction, undefined);
  deepEqual(bench.broken, []);
});

test("one after the other, by their age; the next begins when the turn is left", async () => {
  const bench = await actionBench(kinds);
  bench.play = (token) => (token.startsWith("never") ? "" : "running");
  await bench.apply(postgresTask, "first", sql);
  await bench.apply(task, "second", { ...sql, content: "true" });
  await bench.apply(postgresTask, "third", sql);
  await bench.live(async () => (await reason(bench, "third")) === "Queued" && bench.begun.length === 1, { seconds: 60 });
  match((await bench.get(postgresTask, "third")).status.conditions?.[0]?.message ?? "", /waits behind PostgresTask first/u);
  bench.play = () => "exit 0";
  await bench.live(ended(bench, "third"));
  equal(bench.begun.length, 3);
  const starts = await Promise.all([
    bench.get(postgresTask, "first"),
    bench.get(task, "second"),
    bench.get(postgresTask, "third"),
  ]);
  const times = starts.map(({ status }) => status.startTime ?? "");
  deepEqual(times, times.toSorted());
  deepEqual(bench.broken, []);
});

test("a shut gate, no database, another namespace: Pending until the deadline, and nothing begins", async () => {
  const bench = await actionBench(kinds);
  await bench.setVdb({ content: { openedTime: null } });
  await bench.apply(postgresTask, "shut", { ...sql, deadlineSeconds: 60 });
  await bench.apply(postgresTask, "absent", { ...sql, targetRef: { name: "nobody" }, deadlineSeconds: 60 });
  await bench.apply(postgresTask, "foreign", { ...sql, targetRef: { name: "orders", namespace: "other" }, deadlineSeconds: 60 });
  await bench.live(async () => (await reason(bench, "foreign")) === "ReferenceNotGranted", { seconds: 30 });
  deepEqual([await reason(bench, "shut"), await reason(bench, "absent")], ["VdbNotReady", "VdbNotFound"]);
  await bench.live(ended(bench, "foreign"));
  for (const name of ["shut", "absent", "foreign"]) {
    const { status } = await bench.get(postgresTask, name);
    equal(status.phase, "Error", name);
    match(status.lastError ?? "", /^it did not begin within spec.deadlineSeconds \(60 s\)/u);
  }
  deepEqual([bench.begun, bench.broken], [[], []]);
});

test("past its deadline, or deleted, what runs is ended in the pod and the turn left", async () => {
  const bench = await actionBench(kinds);
  bench.play = () => "running";
  await bench.apply(postgresTask, "slow", { ...sql, deadlineSeconds: 60 });
  await bench.apply(postgresTask, "deleted", sql);
  await bench.live(ended(bench, "slow"));
  const { status } = await bench.get(postgresTask, "slow");
  match(status.lastError ?? "", /^it did not end within spec.deadlineSeconds \(60 s\): attempt-1 is running$/u);
  await bench.live(async () => bench.begun.length === 2, { seconds: 60 });
  await bench.client.delete(resourceOf<ActionKind>(postgresTask), { namespace: "shop", name: "deleted" }, forever);
  await bench.live(async () => (await bench.vdb()).status.activeAction === undefined, { seconds: 60 });
  deepEqual(bench.ended, bench.begun);
  deepEqual(bench.broken, []);
});

test("its pod gone under it, an attempt is interrupted and not run again by itself", async () => {
  const bench = await actionBench(kinds);
  bench.play = () => "running";
  await bench.apply(postgresTask, "one", sql);
  await bench.live(async () => bench.begun.length === 1, { seconds: 60 });
  await bench.client.delete(
    { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true },
    { namespace: "shop", name: "orders-1" },
    forever,
  );
  await bench.makePod("orders-2");
  await bench.live(ended(bench, "one"));
  const { status } = await bench.get(postgresTask, "one");
  equal(status.conditions?.find(({ type }) => type === "Succeeded")?.reason, "Interrupted");
  equal(bench.begun.length, 1);
});

test("its database deleted under it, it ends; a new one of the same name is not touched", async () => {
  const bench = await actionBench(kinds);
  bench.play = () => "running";
  await bench.apply(postgresTask, "one", sql);
  await bench.live(async () => bench.begun.length === 1, { seconds: 60 });
  await bench.setVdb({ activeAction: null });
  await bench.live(ended(bench, "one"));
  equal(
    (await bench.get(postgresTask, "one")).status.conditions?.find(({ type }) => type === "Succeeded")?.reason,
    "VdbNotFound",
  );
  deepEqual(bench.broken, []);
});

test("its database deleted while it waits for its end in the pod: it is not the text that has failed", async () => {
  const bench = await actionBench(kinds);
  bench.play = async () => {
    await bench.client.delete(resourceOf(postgresVDB), { namespace: "shop", name: "orders" }, forever);
    return "exit 2\nserver closed the connection";
  };
  await bench.apply(postgresTask, "one", sql);
  await bench.live(ended(bench, "one"));
  const { status } = await bench.get(postgresTask, "one");
  equal(status.conditions?.find(({ type }) => type === "Succeeded")?.reason, "VdbNotFound");
  match(status.lastError ?? "", /^PostgresVDB orders was deleted/u);
  deepEqual(bench.broken, []);
});

test("after its ttl it is deleted; without one it stays, and nothing holds it", async () => {
  const bench = await actionBench(kinds);
  await bench.apply(postgresTask, "short", { ...sql, ttlSecondsAfterFinished: 0 });
  await bench.apply(postgresTask, "kept", sql);
  const names = async () => (await bench.client.list(resourceOf<ActionKind>(postgresTask), {}, forever)).items;
  await bench.live(async () => (await names()).length === 1 && (await names())[0]?.metadata.finalizers?.length === 0, {
    seconds: 60,
  });
  deepEqual(
    (await names()).map(({ metadata }) => metadata.name),
    ["kept"],
  );
});

/** One task through one death of its operator; how many writes it made until then. */
async function dieAt(outcome: string, death: number, moment: "before" | "after"): Promise<number> {
  const bench = await actionBench(kinds);
  bench.play = () => outcome;
  const { wrap, written, isDead } = mortal(death, moment);
  await bench.apply(postgresTask, "one", { ...sql, retryPolicy: { maxRetries: 1, delay: 1 } });
  await bench.live(async () => isDead() || (await ended(bench, "one")()), { api: wrap, seconds: 60 });
  await bench.live(ended(bench, "one"), { seconds: 600 });
  const at = `${moment} write ${death}`;
  equal((await bench.get(postgresTask, "one")).status.phase, outcome === "exit 0" ? "Completed" : "Error", at);
  equal(bench.begun.length, outcome === "exit 0" ? 1 : 2, at);
  deepEqual([bench.broken, (await bench.vdb()).status.activeAction], [[], undefined], at);
  return written();
}

for (const outcome of ["exit 0", "exit 1"])
  test(`an operator that dies at any write of a task that ends with ${outcome}: it runs once, every law holds, the turn is left`, async () => {
    const all = await dieAt(outcome, Infinity, "before");
    ok(all >= 5, `${all} writes`);
    for (let death = 1; death <= all; death += 1)
      for (const moment of ["before", "after"] as const) await dieAt(outcome, death, moment);
  });
