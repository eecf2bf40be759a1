/** What may come between a database and the action that has its turn: a real API server, the action's writes made by the test. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresVDB, VdbHold } from "@vdb/api";
import { configMaps, pods, services } from "kube-runtime";
import { applyVdb, forever, healthy, isReady, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";

/** Of a kind that no controller serves: else the database would find out that there is no such action, and clear its turn. */
const action = { kind: "Rehearsal", name: "monday", namespace: "any", uid: "uid-of-monday" };
const hooks = ["post-create", "post-refresh"].map((stage) => ({ name: "mark", stage, script: `SELECT '${stage}'` }));

/** Another content in the place of the present one. */
const refreshed = (id: string) => ({ content: { id, madeBy: "refresh", openedTime: null, cleanedTime: null } });

describe("a database and the action that has its turn", { timeout: 300_000 }, () => {
  const stage = setStage("turn");

  /** Each test has its own namespace, with a database that is Ready, and hooks that are played. */
  async function database(namespace: string, spec: object = {}) {
    const ran: string[] = [];
    const key = { namespace, name: "orders" };
    const play = (meanwhile: () => Promise<void> = async () => undefined): void => {
      stage.operator.answer = async ({ command, stdin = "" }) => {
        if (command[3] !== "hook") return healthy();
        await meanwhile();
        ran.push(stdin);
        return { stdout: "exit 0\nmarked" };
      };
    };
    play();
    const ready = await stage.readyDatabase(namespace, { hooks, ...spec });
    const write = async (status: object): Promise<void> => void (await stage.client.patchStatus(vdbs, key, { status }, forever));
    const hold = async (how: VdbHold, more: object = {}): Promise<void> =>
      await write({ activeAction: { ...action, hold: how }, ...more });
    const until = async (wanted: (vdb: PostgresVDB) => boolean): Promise<PostgresVDB> =>
      await untilVdb(stage.client, namespace, "orders", wanted);
    const untilHeld = async (how: VdbHold, id: string): Promise<PostgresVDB> =>
      await until(({ status: { held } }) => held?.hold === how && held.contentId === id && held.reason === undefined);
    const letsIn = async (id: string): Promise<boolean> =>
      (await stage.client.get(services, key, forever)).spec.selector?.["postgresvdb.core.delphix.com/content"] === id;
    const first = ready.status.content?.id ?? "";
    return { first, ran, play, hold, write, until, untilHeld, letsIn };
  }

  test("what an action writes in the middle of a run stays, and the gate that was about to open does not", async () => {
    const { first, play, hold, until, untilHeld, letsIn } = await database("race");
    await hold("stopped");
    await untilHeld("stopped", first);
    const writes = { held: 0 };
    play(async () => {
      if (writes.held++ === 0) await hold("beforeHooks"); // not stopped: a hook whose pod ends is not run again
    });
    await hold("none", refreshed("c2"));
    const vdb = await untilHeld("beforeHooks", "c2");
    deepEqual([vdb.status.activeAction?.uid, vdb.status.content?.openedTime], [action.uid, undefined]);
    deepEqual([writes.held, await letsIn("c2")], [1, false]);
    await hold("none");
    await until(isReady);
    equal(await letsIn("c2"), true);
  });

  test("new data starts without pg_cron, whose jobs are the source's, although the old data had it", async () => {
    const postgresConfig = [{ name: "shared_preload_libraries", value: "pg_cron" }];
    const { first, hold, untilHeld } = await database("jobs", { postgresConfig });
    const stored = async (): Promise<string | undefined> =>
      (await stage.client.get(configMaps, { namespace: "jobs", name: "orders-postgres-config" }, forever)).data?.[
        "settings.conf"
      ];
    const whole = await stored();
    equal(whole, "shared_preload_libraries = 'pg_cron'\n");
    await hold("stopped");
    await untilHeld("stopped", first);
    const startedWith: (string | undefined)[] = [];
    stage.operator.answer = async () => {
      startedWith.push(await stored());
      return healthy();
    };
    await hold("beforeHooks", refreshed("c2"));
    await untilHeld("beforeHooks", "c2");
    deepEqual([startedWith[0], await stored()], ["shared_preload_libraries = ''\n", whole]);
  });

  test("new data of a disabled database is proven behind the shut gate, and it stops again", async () => {
    const { first, ran, play, hold, until, untilHeld, letsIn } = await database("disabled");
    play();
    await applyVdb(stage.client, "disabled", "orders", { hooks, enabled: false });
    await until(({ status }) => status.phase === "Stopped");
    await hold("stopped");
    await untilHeld("stopped", first);
    await hold("beforeOpen", refreshed("c2"));
    await untilHeld("beforeOpen", "c2");
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"]);
    await hold("none");
    const vdb = await until(({ status }) => status.phase === "Stopped" && status.held === undefined);
    const { items } = await stage.client.list(pods, { namespace: "disabled" }, forever);
    deepEqual([vdb.status.content?.openedTime, await letsIn("c2"), items.length], [undefined, false, 0]);
    await applyVdb(stage.client, "disabled", "orders", { hooks, enabled: true });
    await stage.client.patchStatus(vdbs, { namespace: "disabled", name: "orders" }, { status: { activeAction: null } }, forever);
    await until(isReady);
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"], "its hooks have run");
  });

  test("an action that vanished after it had the database stopped: hooks run before anybody is let in", async () => {
    const { first, ran, play, hold, write, until, untilHeld } = await database("vanished");
    const opened: (string | undefined)[] = [];
    play(async () => {
      const { status } = await stage.client.get(vdbs, { namespace: "vanished", name: "orders" }, forever);
      opened.push(status.content?.openedTime);
    });
    await hold("stopped");
    await untilHeld("stopped", first);
    await write({ activeAction: { kind: "PostgresTask" } }); // this kind is served, and there is no such task
    const vdb = await until((one) => isReady(one) && one.status.activeAction === undefined);
    notEqual(vdb.status.content?.id, first);
    deepEqual([ran, opened], [["SELECT 'post-create'", "SELECT 'post-refresh'"], [undefined]]);
  });

  test("an action that vanished between DCT's change and its write: the data has a name of its own, the old is kept", async () => {
    const { first, ran, hold, write, until, untilHeld } = await database("unwritten");
    const { delphixID = "" } = (await until(isReady)).status;
    stage.dct.replaceData(delphixID, "before");
    await write({ content: { timeflow: "before" } });
    await hold("stopped");
    await untilHeld("stopped", first);
    stage.dct.replaceData(delphixID, "after");
    await write({ activeAction: { kind: "PostgresTask" } });
    const { status } = await until((one) => isReady(one) && one.status.activeAction === undefined);
    notEqual(status.content?.id, first);
    deepEqual([status.content?.timeflow, status.previous?.id, status.previous?.timeflow], ["after", first, "before"]);
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"], "its hooks have run before anybody was let in");
  });

  test("the previous data goes at its end by itself, while no action works", async () => {
    const { write, until } = await database("retention");
    const { delphixID = "" } = (await until(isReady)).status;
    for (const timeflow of ["oldest", "old", "new"]) stage.dct.replaceData(delphixID, timeflow);
    const previous = { id: "c0", madeBy: "create", timeflow: "old", until: new Date(Date.now() + 3000).toISOString() };
    await write({ activeAction: action, previous });
    await sleep(4000);
    const { status } = await until(() => true);
    deepEqual([status.previous?.id, stage.dct.timeflowsOf(delphixID).length], ["c0", 3], "an action works");
    await write({ previous: { until: new Date(Date.now() + 3000).toISOString() }, activeAction: null });
    const before = await until(isReady);
    deepEqual([before.status.previous?.id, stage.dct.timeflowsOf(delphixID).length], ["c0", 3], "it is not time yet");
    await until((vdb) => vdb.status.previous === undefined && isReady(vdb));
    deepEqual(stage.dct.timeflowsOf(delphixID), ["oldest", "new"]);
  });
});
