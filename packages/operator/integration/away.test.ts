/** An operator that was away for a day comes back to databases with schedules and expiries, on a real API server: 50 in the full tier. */
import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { type ActionKind, isFinished, type PostgresVDB, resourceOf, vdbRefresh, vdbSnapshot } from "@vdb/api";
import { type Clock, events, findCondition, persistentVolumeClaims, systemClock, timestamp } from "kube-runtime";
import { isFullTier } from "kube-runtime/testing";
import { applyVdb, forever, isReady, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const namespace = "away";
const [hourMs, dayMs] = [3_600_000, 86_400_000];
/** Ten minutes past a full hour that has passed: the day later is no full hour either, however long the test takes. */
const beginMs = Math.floor(Date.now() / hourMs) * hourMs - 50 * 60_000;
const returnMs = beginMs + dayMs;
const clockFrom = (startMs: number): Clock => {
  const offset = startMs - Date.now();
  return { ...systemClock, now: () => Date.now() + offset };
};
const hourOf = (ms: number): number => new Date(ms).getUTCHours();

const hourly = { schedule: "0 * * * *" };
const expiring = (action: "Stop" | "Delete") => ({ expiry: { at: timestamp(beginMs + 12 * hourMs), action } });
/** How many databases of each sort there are; the names say what the operator owes them. */
const some = (all: number): number => (isFullTier ? all : Math.ceil(all / 5));
const sorts = {
  both: {
    count: some(20), // ten minutes late, which the deadline allows
    spec: { schedules: { refresh: hourly, snapshot: { schedule: "*/30 * * * *", startingDeadlineSeconds: 1200 } } },
  },
  late: {
    count: some(8),
    spec: { schedules: { refresh: { schedule: `0 ${hourOf(beginMs + 6 * hourMs)} * * *`, startingDeadlineSeconds: 3600 } } },
  },
  off: { count: some(6), spec: { enabled: false, schedules: { snapshot: hourly } } },
  suspended: { count: some(6), spec: { schedules: { refresh: { ...hourly, suspend: true } } } },
  stops: { count: some(5), spec: expiring("Stop") },
  goes: { count: some(5), spec: expiring("Delete") },
} as const;
type Sort = keyof typeof sorts;
const total = Object.values(sorts).reduce((sum, { count }) => sum + count, 0);

const names = (sort: Sort): readonly string[] => Array.from({ length: sorts[sort].count }, (_, at) => `${sort}-${at}`);
/** As the name of a scheduled action has it. */
const stamp = (ms: number): string => {
  const { 0: day = "", 1: time = "" } = timestamp(ms).split("T");
  return `${day.replaceAll("-", "")}-${time.slice(0, 5).replace(":", "")}`;
};
const isAnnounced = ({ status }: PostgresVDB): boolean => findCondition(status.conditions, "Expiring")?.status === "True";
const isSettled = (vdb: PostgresVDB): boolean =>
  (vdb.spec.enabled ? isReady(vdb) : vdb.status.phase === "Stopped") &&
  Object.keys(vdb.spec.schedules ?? {}).every((name) => name in (vdb.status.schedules ?? {}));

describe("an operator that was away for a day", { timeout: 900_000 }, () => {
  const stage = setStage(namespace);
  const all = async (): Promise<readonly PostgresVDB[]> => (await stage.client.list(vdbs, { namespace }, forever)).items;
  const of = async (sort: Sort): Promise<readonly PostgresVDB[]> =>
    (await all()).filter(({ metadata }) => metadata.name.startsWith(`${sort}-`));
  const allOf = async (sort: Sort, goal: (vdb: PostgresVDB) => boolean): Promise<true | undefined> => {
    const found = await of(sort);
    return found.length === sorts[sort].count && found.every(goal) ? true : undefined;
  };
  const actions = async (): Promise<readonly string[]> => {
    const kinds = [vdbRefresh, vdbSnapshot].map((kind) => resourceOf<ActionKind>(kind));
    const lists = await Promise.all(kinds.map(async (kind) => (await stage.client.list(kind, { namespace }, forever)).items));
    return lists
      .flat()
      .map((one) => `${one.metadata.name} ${isFinished(one) ? (one.status.phase ?? "") : "at work"}`)
      .toSorted();
  };
  /** Which databases have an event of that reason, each as often as it was said. */
  const toldOf = async (reason: string): Promise<readonly string[]> => {
    const found = (await stage.client.list(events, { namespace }, forever)).items.filter((event) => event.reason === reason);
    return found
      .flatMap(({ regarding, series }) => Array.from({ length: series?.count ?? 1 }, () => regarding.name ?? ""))
      .toSorted();
  };
  const timeflowsOf = async (sort: Sort): Promise<readonly number[]> =>
    (await of(sort)).map(({ status }) => stage.dct.timeflowsOf(status.delphixID ?? "").length);
  /** Ends the operator and starts another one whose clock says another time. */
  const restartAt = async (ms: number): Promise<void> => {
    await stage.operator[Symbol.asyncDispose]();
    stage.restartOperator(clockFrom(ms));
  };

  test("begins what it owes once, nothing that is too late, and neither stops nor deletes unannounced", async () => {
    await stage.place(namespace);
    await restartAt(beginMs);
    for (const sort of ["both", "late", "off", "suspended", "stops", "goes"] as const)
      for (const name of names(sort)) await applyVdb(stage.client, namespace, name, sorts[sort].spec);
    await until("all are as declared", async () => ((await all()).every(isSettled) ? true : undefined), 600);
    deepEqual([(await all()).length, await actions()], [total, []]);
    const timeflows = await timeflowsOf("both");

    await restartAt(returnMs);
    const owed = names("both")
      .flatMap((name) => ["refresh", "snapshot"].map((word) => `${name}-${word}-${stamp(returnMs - 10 * 60_000)} Completed`))
      .toSorted();
    await until(
      "the missed times are made up for",
      async () => {
        const found = await actions();
        return found.length >= owed.length && found.every((one) => one.endsWith("Completed")) ? true : undefined;
      },
      600,
    );
    deepEqual(await actions(), owed);
    for (const { status } of await of("late")) equal(status.schedules?.refresh?.skipped?.reason, "DeadlineMissed");
    for (const { status } of await of("off")) equal(status.schedules?.snapshot?.skipped?.reason, "Stopped");
    for (const { status } of await of("suspended"))
      deepEqual([status.schedules?.refresh?.lastTime, status.schedules?.refresh?.nextTime], [undefined, undefined]);

    // Five minutes between word and deed.
    for (const sort of ["stops", "goes"] as const) {
      await until("they are announced", async () => await allOf(sort, isAnnounced));
      equal(await allOf(sort, isReady), true, `${sort}: nothing has happened yet`);
    }
    await restartAt(returnMs + 4 * 60_000);
    await until(
      "the operator has looked again",
      async () => await allOf("off", ({ status }) => status.schedules?.snapshot?.nextTime !== undefined),
    );
    equal(await allOf("goes", isReady), true);

    await restartAt(returnMs + 6 * 60_000);
    await until("what has expired is stopped", async () => await allOf("stops", ({ status }) => status.phase === "Stopped"));
    await until("what has expired is gone", async () => ((await of("goes")).length === 0 ? true : undefined));
    const { items } = await stage.client.list(persistentVolumeClaims, { namespace }, forever);
    deepEqual(
      [items.filter(({ metadata }) => metadata.name.startsWith("goes-")).length, items.length],
      [0, total - sorts.goes.count - sorts.off.count],
    );
    deepEqual(await actions(), owed, "and nothing has begun twice");
    const refreshed = timeflows.map((count) => count + 1);
    deepEqual(await timeflowsOf("both"), refreshed, "nor has DCT refreshed twice");
    equal((await of("both")).every(isReady), true);
    const twice = (sort: Sort) => [...names(sort), ...names(sort)];
    const expected: readonly (readonly [string, readonly string[]])[] = [
      ["ActionScheduled", twice("both")],
      ["ScheduleSkipped", [...names("late"), ...names("off")]],
      ["Announced", [...names("stops"), ...names("goes")]],
      ["Expired", names("stops")],
      ["ExpiryDeleted", names("goes")],
    ];
    for (const [reason, whom] of expected) deepEqual(await toldOf(reason), whom.toSorted(), reason);
  });
});
