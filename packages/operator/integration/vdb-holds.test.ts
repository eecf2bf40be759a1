/** What a database does for an action that holds it: a real API server, the action's writes made by the test. */
import { deepEqual, equal, match } from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { PostgresVDB, VdbHold } from "@vdb/api";
import { type Client, deployments, pods, services } from "kube-runtime";
import type { FakeCluster } from "./testing/fake-cluster.ts";
import { applyVdb, forever, healthy, isReady, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";

const action = { kind: "PostgresRefresh", name: "monday", namespace: "shop", uid: "uid-of-monday" };
const key = { namespace: "shop", name: "orders" };
const age = "2026-02-01T00:00:00Z";
const stages = ["post-create", "post-refresh"] as const;
const hooks = stages.map((stage) => ({ name: "mark", stage, script: `SELECT '${stage}'` }));

const podsThere = async (client: Client): Promise<number> =>
  (await client.list(pods, { namespace: "shop" }, forever)).items.length;
const reason = (vdb: PostgresVDB, type: string): string =>
  vdb.status.conditions?.find((condition) => condition.type === type)?.reason ?? "";

describe("a database under an action", { timeout: 300_000 }, () => {
  const stage = setStage("shop");
  const ran: string[] = [];
  let cluster: FakeCluster;
  let first = "";

  const hold = async (how: VdbHold | undefined, more: object = {}): Promise<void> => {
    const activeAction = { ...action, ...(how === undefined ? {} : { hold: how }), ...more };
    await stage.client.patchStatus(vdbs, key, { status: { activeAction } }, forever);
  };
  const untilHeld = async (how: VdbHold, contentId: string): Promise<PostgresVDB> =>
    await untilVdb(stage.client, "shop", "orders", ({ status: { held } }) => held?.hold === how && held.contentId === contentId);
  const selected = async (): Promise<string | undefined> =>
    (await stage.client.get(services, key, forever)).spec.selector?.["postgresvdb.core.delphix.com/content"];
  const played = (): void => {
    stage.operator.answer = ({ command, stdin = "" }) => {
      if (command[3] !== "hook") return healthy();
      ran.push(stdin);
      return { stdout: "exit 0\nmarked" };
    };
  };

  before(async () => {
    cluster = await stage.place("shop");
    played();
    await applyVdb(stage.client, "shop", "orders", { hooks });
    first = (await untilVdb(stage.client, "shop", "orders", isReady)).status.content?.id ?? "";
  });

  test("stopped: nobody is let in, the pod is gone, DCT has let go, and the database is not Stopped", async () => {
    await hold("stopped");
    const vdb = await untilHeld("stopped", first);
    deepEqual([await podsThere(stage.client), (await selected()) === first], [0, false]);
    deepEqual(
      [vdb.status.phase, reason(vdb, "Ready"), reason(vdb, "Reconciling")],
      ["Deploying", "ActionRunning", "ActionRunning"],
    );
    equal(stage.dct.isEnabled(vdb.status.delphixID ?? ""), false);
    equal(vdb.status.held?.reason, undefined);
  });

  test("beforeHooks: the server answers on the new data behind the shut gate, and no hook has run on it", async () => {
    played();
    const { content } = (await stage.client.get(vdbs, key, forever)).status;
    const { openedTime: _, ...replaced } = content ?? { id: "", madeBy: "create" as const };
    const next = { ...replaced, id: "c2", madeBy: "refresh" as const, openedTime: null, dataTimestamp: age };
    const activeAction = { ...action, hold: "beforeHooks" as const, replaced: content ?? null };
    await stage.client.patchStatus(vdbs, key, { status: { content: next, activeAction } }, forever);
    const vdb = await untilHeld("beforeHooks", "c2");
    deepEqual([await podsThere(stage.client), vdb.status.content?.openedTime, vdb.status.phase], [1, undefined, "Deploying"]);
    deepEqual(ran, ["SELECT 'post-create'"]);
    deepEqual([vdb.status.content?.dataTimestamp, vdb.status.dataTimestamp], [age, age], "the columns follow the content");
  });

  test("beforeOpen: the hooks of what made the data have run, and the gate is shut", async () => {
    played();
    await hold("beforeOpen");
    const vdb = await untilHeld("beforeOpen", "c2");
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"]);
    deepEqual([vdb.status.content?.openedTime, (await selected()) === "c2"], [undefined, false]);
  });

  test("none: the gate opens; with the turn the answer goes", async () => {
    played();
    await hold("none");
    const vdb = await untilVdb(stage.client, "shop", "orders", isReady);
    deepEqual([vdb.status.content?.id, vdb.status.content?.openedTime === undefined, await selected()], ["c2", false, "c2"]);
    await stage.client.patchStatus(vdbs, key, { status: { activeAction: null } }, forever);
    await untilVdb(stage.client, "shop", "orders", (one) => isReady(one) && one.status.held === undefined);
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"]);
  });

  test("undone: data that was open before opens again without hooks", async () => {
    played();
    await hold("stopped");
    await untilHeld("stopped", "c2");
    await hold("none");
    await untilVdb(stage.client, "shop", "orders", isReady);
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"]);
    equal(await selected(), "c2");
  });

  test("held in the middle of its service: new clients are kept out first, and let in again without hooks", async () => {
    played();
    await hold("beforeHooks");
    const vdb = await untilHeld("beforeHooks", "c2");
    deepEqual([(await selected()) === "c2", vdb.status.ready], [false, false]);
    await hold("none");
    await untilVdb(stage.client, "shop", "orders", isReady);
    equal(await selected(), "c2");
    deepEqual(ran, ["SELECT 'post-create'", "SELECT 'post-refresh'"]);
  });

  test("enabled: false and an edit that replaces the pod wait for the turn's end", async () => {
    played();
    await hold("none");
    const [pod] = (await stage.client.list(pods, { namespace: "shop" }, forever)).items;
    await applyVdb(stage.client, "shop", "orders", { hooks, enabled: false, resources: { limits: { memory: "2Gi" } } });
    const waits = await untilVdb(stage.client, "shop", "orders", isReady);
    equal(waits.status.phase, "Ready");
    deepEqual(
      (await stage.client.list(pods, { namespace: "shop" }, forever)).items.map(({ metadata }) => metadata.uid),
      [pod?.metadata.uid],
    );
    await stage.client.patchStatus(vdbs, key, { status: { activeAction: null } }, forever);
    await untilVdb(stage.client, "shop", "orders", ({ status }) => status.phase === "Stopped");
    await applyVdb(stage.client, "shop", "orders", { hooks, enabled: true, resources: { limits: { memory: "2Gi" } } });
    await untilVdb(stage.client, "shop", "orders", isReady);
    const { spec } = await stage.client.get(deployments, key, forever);
    equal(spec.template.spec.containers[0]?.resources?.limits?.["memory"], "2Gi");
  });

  test("the turn of an action that is gone is cleared", async () => {
    await stage.client.patchStatus(
      vdbs,
      key,
      { status: { activeAction: { ...action, kind: "PostgresTask", hold: "stopped" } } },
      forever,
    );
    await untilVdb(stage.client, "shop", "orders", (vdb) => isReady(vdb) && vdb.status.activeAction === undefined);
  });

  test("what only a person can mend is told to the action, and the database is not stalled", async () => {
    played();
    await hold("stopped");
    await untilHeld("stopped", "c2");
    const end = {
      exitCode: 1,
      reason: "Error",
      message: "vdb:NotADatabase: there is no database",
      finishedAt: "2026-01-01T00:00:00Z",
    };
    cluster.container = () => ({ waiting: { reason: "CrashLoopBackOff" } });
    cluster.details = () => ({ ready: false, lastState: { terminated: end } });
    await hold("beforeHooks");
    const vdb = await untilHeld("beforeHooks", "c2");
    equal(vdb.status.held?.reason, "NotADatabase");
    match(vdb.status.held?.message ?? "", /no database/u);
    deepEqual([vdb.status.phase, reason(vdb, "Stalled")], ["Deploying", ""]);
  });
});
