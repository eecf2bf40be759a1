import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, type ActionObject, decode, resourceOf, vdbRefresh, vdbSnapshot } from "@vdb/api";
import { ownerOf, scheduledTime, scheduleLabel } from "../names.ts";
import { forever, type Given, refusedBy, type StepBench, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { keepSchedules } from "./keep-schedules.ts";

/** The bench's time stands at 2026-01-01T00:00:00Z, a time of these schedules. */
const content = { id: "c", madeBy: "create", openedTime: "2025-12-01T00:00:00Z" };
const of = "@daily Etc/UTC";
const yesterday = { of, doneTime: "2025-12-31T00:00:00Z" };
const refresh = { schedules: { refresh: { schedule: "@daily", previousRetention: "1h" } } };
const known = (more: object = {}) => ({ content, schedules: { refresh: { ...yesterday, ...more } } });

async function run(given: Given, actions: readonly ActionObject[] = [], prepare?: (bench: StepBench) => Promise<void>) {
  const bench = await stepBench(given);
  await prepare?.(bench);
  bench.writes.length = 0;
  const outcome = await keepSchedules.run({ ...bench.ctx, world: { ...bench.ctx.world, scheduled: () => actions } }, forever);
  equal(outcome.kind, "done", "the database does not depend on it");
  const { events, writes, conditions } = bench;
  const again =
    outcome.kind === "done" && outcome.again !== undefined && "recheckSeconds" in outcome.again
      ? outcome.again.recheckSeconds
      : undefined;
  return { bench, events, writes, condition: conditions[0], again, status: bench.ctx.run.status.schedules?.refresh };
}

const made = (day: string, phase = "Completed", kind: ActionKind = vdbRefresh): ActionObject =>
  decode<ActionKind>(kind, {
    apiVersion: "actions.delphix.com/v1alpha1",
    kind: kind.kind,
    metadata: {
      name: `orders-refresh-${day.replaceAll("-", "")}-0000`,
      namespace: "shop",
      uid: `uid-of-${day}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: `${day}T00:00:01Z`,
      labels: { [scheduleLabel]: "refresh" },
      annotations: { [scheduledTime]: `${day}T00:00:00Z` },
      ownerReferences: ownerOf(aVdb()),
    },
    spec: { vdbRef: { name: "orders" } },
    status: {
      phase,
      observedGeneration: 1,
      ...(phase === "Completed"
        ? {
            conditions: [
              { type: "Succeeded", status: "True", reason: "Succeeded", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
            ],
          }
        : {}),
    },
  });

test("without schedules nothing is said, and what the status had goes", async () => {
  const { condition, again, bench } = await run({ status: known() });
  deepEqual([condition, again, bench.ctx.run.status.schedules], [undefined, undefined, undefined]);
});

test("a new schedule begins nothing for a time that was before it", async () => {
  const { writes, status, again, condition } = await run({ spec: refresh, status: { content } });
  deepEqual([writes, again, condition?.reason], [[], 3600, "Scheduled"]);
  deepEqual(status, { of, doneTime: "2026-01-01T00:00:00Z", nextTime: "2026-01-02T00:00:00Z" });
});

test("at its time the action is made, with the schedule's own fields, its time as name, and the database as its owner", async () => {
  const { bench, writes, events, status } = await run({ spec: refresh, status: known() });
  const name = "orders-refresh-20260101-0000";
  deepEqual([writes, events], [[`create vdbrefreshes ${name}`], ["ActionScheduled"]]);
  deepEqual(status, {
    of,
    doneTime: "2026-01-01T00:00:00Z",
    nextTime: "2026-01-02T00:00:00Z",
    lastTime: "2026-01-01T00:00:00Z",
    lastAction: name,
  });
  const { spec, metadata } = await bench.client.get(resourceOf<ActionKind>(vdbRefresh), { namespace: "shop", name }, forever);
  deepEqual(JSON.parse(JSON.stringify(spec)), {
    vdbRef: { name: "orders", kind: "PostgresVDB" },
    deadlineSeconds: 3600,
    planOnly: false,
    previousRetention: "1h",
  });
  deepEqual(
    metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid]),
    [["PostgresVDB", "uid-of-orders"]],
  );
});

for (const { name, why, owners, reason } of [
  { name: "its own", why: "an operator before this one has made it, and died", owners: ownerOf(aVdb()), reason: undefined },
  { name: "somebody else's", why: "it is not touched", owners: [], reason: "NameTaken" },
])
  test(`an action of that name that is ${name}: nothing is made`, async () => {
    const metadata = { namespace: "shop", name: "orders-refresh-20260101-0000", ownerReferences: owners };
    const { events, status } = await run({ spec: refresh, status: known() }, [], async ({ client }) => {
      const { spec } = made("2026-01-01");
      await client.create(resourceOf<ActionKind>(vdbRefresh), { metadata, spec }, forever);
    });
    deepEqual(
      [events, status?.skipped?.reason, status?.doneTime],
      [reason === undefined ? [] : ["ScheduleSkipped"], reason, "2026-01-01T00:00:00Z"],
      why,
    );
    equal(status?.lastAction, reason === undefined ? metadata.name : undefined);
  });

for (const { name, spec = {}, status, reason } of [
  { name: "stopped", spec: { enabled: false }, status: known(), reason: "Stopped" },
  {
    name: "expired",
    status: { ...known(), expiry: { time: "2025-12-31T00:00:00Z", action: "Stop", stoppedTime: "2025-12-31T00:00:00Z" } },
    reason: "Stopped",
  },
  { name: "not open yet", status: { ...known(), content: { ...content, openedTime: undefined } }, reason: "NotReady" },
])
  test(`of a database that is ${name} the time is skipped with a reason`, async () => {
    const { writes, events, status: after } = await run({ spec: { ...refresh, ...spec }, status });
    deepEqual(
      [writes, events, after?.skipped?.reason, after?.skipped?.time],
      [[], ["ScheduleSkipped"], reason, "2026-01-01T00:00:00Z"],
    );
  });

test("while its last action is at work, the time waits for its end", async () => {
  const { writes, events, status } = await run({ spec: refresh, status: known() }, [made("2025-12-31", "Refreshing")]);
  deepEqual([writes, events, status?.doneTime], [[], [], yesterday.doneTime]);
});

test("of those that have ended the newest stay, as many as history says", async () => {
  const days = ["2025-12-28", "2025-12-30", "2025-12-29", "2025-12-31"];
  const spec = { schedules: { refresh: { schedule: "@daily", history: 2 } } };
  const ended = days.map((day) => made(day));
  const { writes } = await run({ spec, status: known({ doneTime: "2026-01-01T00:00:00Z" }) }, ended, async ({ client }) => {
    for (const action of ended) await client.create(resourceOf<ActionKind>(vdbRefresh), action, forever);
  });
  deepEqual(writes, ["delete vdbrefreshes orders-refresh-20251229-0000", "delete vdbrefreshes orders-refresh-20251228-0000"]);
});

test("a schedule that cannot be read is said, and holds up neither the database nor the other one", async () => {
  const spec = { schedules: { refresh: { schedule: "99 * * * *" }, snapshot: { schedule: "@daily" } } };
  const status = { content, schedules: { snapshot: yesterday } };
  const { writes, condition } = await run({ spec, status });
  deepEqual(writes, ["create vdbsnapshots orders-snapshot-20260101-0000"]);
  deepEqual([condition?.status, condition?.reason], ["False", "ScheduleRefused"]);
  match(condition?.message ?? "", /^spec\.schedules\.refresh: schedule 99 \* \* \* \* cannot be read/u);
  equal(vdbSnapshot.plural, "vdbsnapshots");
});

const refuseRefreshes = (call: string): void => {
  if (call.startsWith("create vdbrefreshes")) throw refusedBy("forbidden", "quota");
};
test("an API server that refuses the action is said, and asked again in a minute", async () => {
  const { condition, again, status } = await run({ spec: refresh, status: known(), beforeCall: refuseRefreshes });
  deepEqual([condition?.reason, again, status], ["ActionRefused", 60, yesterday]);
});
