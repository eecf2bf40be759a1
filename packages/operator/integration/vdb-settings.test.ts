/** Settings of a PostgresVDB: which are stored, which need a restart, which are refused. */
import { equal, match, notEqual } from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import { configMaps, findCondition, type Pod, pods, services } from "kube-runtime";
import { selects } from "../src/vdb/testing.ts";
import { applyVdb, forever, healthy, isReady, readyReason, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const messageOf = (vdb: PostgresVDB, type: string): string => findCondition(vdb.status.conditions, type)?.message ?? "";
const setting = (value: string) => ({ postgresConfig: [{ name: "work_mem", value }] });

describe("the settings of a PostgresVDB", { timeout: 480_000 }, () => {
  const stage = setStage("life");
  const { place, podNames, readyDatabase } = stage;

  before(async () => {
    await readyDatabase("life", { port: 5493 });
  });

  test("a setting that needs a restart gets one, another none", async () => {
    const pod = async () =>
      (await stage.client.list(pods, { namespace: "life" }, forever)).items.map(({ metadata }) => metadata.name).join();
    const first = await pod();
    await applyVdb(stage.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "work_mem", value: "8MB" }] });
    await until("it is in force", async () =>
      stage.operator.execs.at(-1)?.command[5]?.includes("8MB") === true ? true : undefined,
    );
    await untilVdb(stage.client, "life", "orders", isReady);
    equal(await pod(), first);
    // The second pod has come up with the former settings too, as it may when the kubelet has not yet seen the new ones.
    const waiting = new Set<string>();
    stage.operator.answer = ({ command, pod: name }) => {
      if (command[5]?.includes("max_connections") !== true || (waiting.size === 2 && !waiting.has(name))) return healthy();
      waiting.add(name);
      return healthy({ pendingRestart: ["max_connections"] });
    };
    await applyVdb(stage.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "max_connections", value: "77" }] });
    await untilVdb(stage.client, "life", "orders", (vdb) => isReady(vdb) && waiting.size === 2);
    stage.operator.answer = () => healthy({ pendingElsewhere: ["wal_level"] });
    await applyVdb(stage.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "max_connections", value: "78" }] });
    const vdb = await untilVdb(stage.client, "life", "orders", isReady);
    const last = await pod();
    match(vdb.status.conditions?.find(({ type }) => type === "Prepared")?.message ?? "", /wait for a restart: wal_level/u);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    equal(await pod(), last, "what somebody set in the database itself restarts nothing");
    stage.operator.answer = () => healthy();
    await stage.client.patch(vdbs, { namespace: "life", name: "orders" }, { metadata: { labels: { look: "again" } } }, forever);
    await untilVdb(stage.client, "life", "orders", (one) => messageOf(one, "Prepared") === "settings and password are in force");
  });

  test("settings that the running server refuses are not stored: a pod that is moved starts with the former ones", async () => {
    await place("typo");
    stage.operator.answer = ({ command }) =>
      command[5]?.includes("lots") === true ? { exitCode: 10, stderr: 'invalid value for parameter "work_mem"' } : healthy();
    const stored = async () =>
      (await stage.client.get(configMaps, { namespace: "typo", name: "orders-postgres-config" }, forever)).data?.[
        "settings.conf"
      ];
    await applyVdb(stage.client, "typo", "orders", setting("5MB"));
    await untilVdb(stage.client, "typo", "orders", isReady);
    await applyVdb(stage.client, "typo", "orders", setting("lots"));
    await untilVdb(stage.client, "typo", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    for (const { metadata } of (await stage.client.list(pods, { namespace: "typo" }, forever)).items)
      await stage.client.delete(pods, { namespace: "typo", name: metadata.name }, forever, { gracePeriodSeconds: 0 });
    await untilVdb(stage.client, "typo", "orders", (vdb) => readyReason(vdb) === "Starting");
    await untilVdb(stage.client, "typo", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    equal(await stored(), "work_mem = '5MB'\n");
    await applyVdb(stage.client, "typo", "orders", setting("6MB"));
    await untilVdb(stage.client, "typo", "orders", isReady);
    equal(await stored(), "work_mem = '6MB'\n");
  });

  test("a pod that does not start with its settings gets corrected ones", async () => {
    const cluster = await place("settings");
    stage.operator.answer = () => healthy();
    const terminated = { exitCode: 1, message: "vdb:SettingRefused: PostgreSQL refuses its settings" };
    cluster.container = () => ({ terminated });
    await applyVdb(stage.client, "settings", "orders", setting("lots"));
    await untilVdb(stage.client, "settings", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    await applyVdb(stage.client, "settings", "orders", setting("5MB"));
    await until("they are stored", async () => {
      const key = { namespace: "settings", name: "orders-postgres-config" };
      return (await stage.client.get(configMaps, key, forever)).data?.["settings.conf"] === "work_mem = '5MB'\n"
        ? true
        : undefined;
    });
    cluster.container = () => ({ running: { startedAt: new Date().toISOString() } });
    await untilVdb(stage.client, "settings", "orders", isReady);
  });

  test("a pod that the kubelet has put off is made anew at once for corrected settings", async () => {
    const cluster = await place("putoff");
    // Put off a moment ago, again and again: no wait is over, and the failure is an old one.
    const finishedAt = new Date(Date.now() + 600_000).toISOString();
    const terminated = { exitCode: 1, message: "vdb:SettingRefused: PostgreSQL refuses its settings", finishedAt };
    const first = new Set<string>();
    cluster.details = (pod) => (isFirst(pod) ? { ready: false, lastState: { terminated } } : {});
    cluster.container = (pod) =>
      isFirst(pod) ? { waiting: { reason: "CrashLoopBackOff" } } : { running: { startedAt: new Date().toISOString() } };
    const isFirst = ({ metadata: { uid } }: Pod): boolean => {
      if (first.size === 0) first.add(uid);
      return first.has(uid);
    };
    await applyVdb(stage.client, "putoff", "orders", setting("lots"));
    await untilVdb(stage.client, "putoff", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    await applyVdb(stage.client, "putoff", "orders", setting("5MB"));
    await untilVdb(stage.client, "putoff", "orders", isReady, 8);
  });

  test("a database that fell back by itself is not restarted for the settings that it refused", async () => {
    await place("fallback");
    const bigger = { postgresConfig: [{ name: "shared_buffers", value: "100GB" }] };
    stage.operator.answer = () => healthy();
    await applyVdb(stage.client, "fallback", "orders", setting("5MB"));
    await untilVdb(stage.client, "fallback", "orders", isReady);
    // The running server takes them; they wait for a restart. The pod that is made for that falls back.
    const first = await podNames("fallback");
    stage.operator.answer = ({ namespace, command, pod }) => {
      if (namespace !== "fallback" || command[5]?.includes("100GB") !== true) return healthy();
      if (pod === first) return healthy({ pendingRestart: ["shared_buffers"] });
      return { exitCode: 10, stderr: "could not map anonymous shared memory: Cannot allocate memory" };
    };
    await applyVdb(stage.client, "fallback", "orders", bigger);
    const vdb = await untilVdb(stage.client, "fallback", "orders", (one) => readyReason(one) === "SettingRefused");
    match(vdb.status.lastError ?? "", /stay in force: could not map.*fix spec\.postgresConfig/u);
    const fallen = await podNames("fallback");
    notEqual(fallen, first);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    equal(await podNames("fallback"), fallen, "not again for the same settings");
    const service = await stage.client.get(services, { namespace: "fallback", name: "orders" }, forever);
    const [pod] = (await stage.client.list(pods, { namespace: "fallback" }, forever)).items;
    equal(selects(service.spec.selector, pod?.metadata.labels), true, "its clients stay");
    await applyVdb(stage.client, "fallback", "orders", setting("6MB"));
    await untilVdb(stage.client, "fallback", "orders", isReady);
    equal(await podNames("fallback"), fallen, "corrected settings need no restart");
    stage.operator.answer = () => healthy();
  });
});
