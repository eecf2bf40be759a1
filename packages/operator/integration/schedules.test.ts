/** spec.schedules on a real API server with the operator's own clock: a time that was missed, restarts, history, and what it owns. */
import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { type ActionKind, isFinished, resourceOf, vdbRefresh, vdbSnapshot } from "@vdb/api";
import { findCondition } from "kube-runtime";
import { forever, isReady, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const snapshots = resourceOf<ActionKind>(vdbSnapshot);
const refreshes = resourceOf<ActionKind>(vdbRefresh);
const [namespace, key] = ["scheduled", { namespace: "scheduled", name: "orders" }];

describe("schedules", { timeout: 120_000 }, () => {
  const stage = setStage(namespace);

  test("a time that was missed begins one action, which an operator that starts again does not repeat", async () => {
    const { client } = stage;
    await stage.readyDatabase(namespace);
    const schedule = "0 0 1 1 *"; // never while the test runs
    await client.patch(
      vdbs,
      key,
      { spec: { schedules: { refresh: { schedule }, snapshot: { schedule, history: 1 } } } },
      forever,
    );
    const seen = await untilVdb(client, namespace, "orders", ({ status }) => status.schedules?.refresh?.nextTime !== undefined);
    equal(findCondition(seen.status.conditions, "Scheduled")?.reason, "Scheduled");
    match(seen.status.schedules?.refresh?.nextTime ?? "", /-01-01T00:00:00Z$/u);

    // As if the operator had been away since the year before last: of two times that were missed the last begins.
    const doneTime = "2020-06-01T00:00:00Z";
    await client.patchStatus(vdbs, key, { status: { schedules: { refresh: { doneTime }, snapshot: { doneTime } } } }, forever);
    const names = async (resource: typeof snapshots): Promise<readonly string[]> =>
      (await client.list(resource, { namespace }, forever)).items
        .filter(isFinished)
        .map(({ metadata }) => metadata.name)
        .toSorted();
    const year = new Date().getUTCFullYear();
    const wanted = (word: string): string => `orders-${word}-${year}0101-0000`;
    await until("both have ended", async () =>
      (await names(snapshots)).length + (await names(refreshes)).length === 2 ? true : undefined,
    );
    deepEqual([await names(snapshots), await names(refreshes)], [[wanted("snapshot")], [wanted("refresh")]]);

    await stage.operator[Symbol.asyncDispose]();
    stage.restartOperator();
    const after = await untilVdb(client, namespace, "orders", isReady);
    equal(after.status.schedules?.refresh?.lastAction, wanted("refresh"));
    equal(after.status.schedules?.snapshot?.lastTime, `${year}-01-01T00:00:00Z`);
    deepEqual([await names(snapshots), await names(refreshes)], [[wanted("snapshot")], [wanted("refresh")]]);
    const [owner] = (await client.get(refreshes, { namespace, name: wanted("refresh") }, forever)).metadata.ownerReferences ?? [];
    equal(owner?.uid, after.metadata.uid);
  });

  test("what cannot be read is a condition, and the database stays Ready", async () => {
    const spec = { schedules: { refresh: { schedule: "0 0 31 2 *" }, snapshot: null } };
    await stage.client.patch(vdbs, key, { spec }, forever);
    const vdb = await untilVdb(
      stage.client,
      namespace,
      "orders",
      (found) => isReady(found) && findCondition(found.status.conditions, "Scheduled")?.status === "False",
    );
    match(
      findCondition(vdb.status.conditions, "Scheduled")?.message ?? "",
      /spec\.schedules\.refresh: schedule 0 0 31 2 \* never comes/u,
    );
    equal(vdb.status.schedules?.snapshot, undefined);
  });
});
