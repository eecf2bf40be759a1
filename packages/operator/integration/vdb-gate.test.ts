/** No client reaches a PostgresVDB before its hooks have run, and before its role and database let somebody in. */
import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { configMaps, findCondition, isTrue, pods, services } from "kube-runtime";
import { selects } from "../src/vdb/testing.ts";
import { applyVdb, forever, healthy, isReady, readyReason, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const hook = (script: string) => ({ hooks: [{ name: "mask", stage: "post-create", script }] });
/** A hook that is corrected by its text, one after it, and one of another stage. */
const hooks = (script: string) => [
  { name: "mask", stage: "post-create", script },
  { name: "after", stage: "post-create", type: "command", script: "true" },
  { name: "another-stage", stage: "pre-refresh", script: "SELECT 1" },
];

describe("the gate of a PostgresVDB", { timeout: 480_000 }, () => {
  const stage = setStage("hooks");
  const { place } = stage;

  test("while the gate is shut, nothing leads to the pod; hosts come in only after the password is set", async () => {
    await place("gate");
    stage.operator.answer = () => ({ exitCode: 2, stderr: "the database system is starting up" });
    await applyVdb(stage.client, "gate", "masked");
    await untilVdb(stage.client, "gate", "masked", (vdb) => readyReason(vdb) === "Unreachable");
    const service = await stage.client.get(services, { namespace: "gate", name: "masked" }, forever);
    const [pod] = (await stage.client.list(pods, { namespace: "gate" }, forever)).items;
    deepEqual([pod?.kind, selects(service.spec.selector, pod?.metadata.labels)], ["Pod", false]);
    const config = await stage.client.get(configMaps, { namespace: "gate", name: "masked-postgres-config" }, forever);
    equal(/^host/mu.test(config.data?.["pg_hba.conf"] ?? ""), false);
    const first = stage.operator.execs.length;
    stage.operator.answer = () => healthy();
    await untilVdb(stage.client, "gate", "masked", isReady);
    const texts = stage.operator.execs
      .slice(first)
      .map(({ command, stdin = "" }) => `${/^host/mu.test(command[4] ?? "") ? "open" : "shut"} ${/verifier/u.test(stdin)}`);
    deepEqual(texts, ["shut true", "open true"]);
  });

  test("a server that does not let sessions in yet is waited for, and not asked", async () => {
    const cluster = await place("started");
    cluster.details = () => ({ ready: false, started: true });
    await applyVdb(stage.client, "started", "orders");
    const first = stage.operator.execs.length;
    const waits = await untilVdb(stage.client, "started", "orders", ({ status }) =>
      /^PostgreSQL in pod .* is starting$/u.test(findCondition(status.conditions, "Ready")?.message ?? ""),
    );
    deepEqual([readyReason(waits), waits.status.phase], ["Starting", "Deploying"]);
    equal(isTrue(waits.status.conditions, "Prepared"), false);
    equal(stage.operator.execs.length, first);
    cluster.details = () => ({});
    await untilVdb(stage.client, "started", "orders", isReady);
  });

  test("no client is let in before the post-create hooks have run, each once; a corrected one is run again", async () => {
    await place("hooks");
    stage.operator.answer = ({ command, stdin }) => {
      if (command[3] !== "hook") return healthy();
      return { stdout: stdin === "wrong" ? "exit 3\nno such table, a-good-password" : "exit 0\nUPDATE 7" };
    };
    await applyVdb(stage.client, "hooks", "orders", { hooks: hooks("wrong") });
    const failed = await untilVdb(stage.client, "hooks", "orders", (vdb) => readyReason(vdb) === "HookFailed");
    match(failed.status.lastError ?? "", /mask failed with exit code 3.*no such table, \*\*\*/u);
    const [pod] = (await stage.client.list(pods, { namespace: "hooks" }, forever)).items;
    const leadsToPod = async () =>
      selects(
        (await stage.client.get(services, { namespace: "hooks", name: "orders" }, forever)).spec.selector,
        pod?.metadata.labels,
      );
    equal(await leadsToPod(), false);
    equal(
      stage.operator.execs.some(({ namespace, command }) => namespace === "hooks" && /^host/mu.test(command[4] ?? "")),
      false,
    );
    await applyVdb(stage.client, "hooks", "orders", { hooks: hooks("right") });
    const ready = await untilVdb(stage.client, "hooks", "orders", isReady);
    equal(await leadsToPod(), true);
    equal(ready.status.conditions?.find(({ type }) => type === "HooksComplete")?.reason, "PostRefreshMissing");
    deepEqual(
      ready.status.hooks?.map(({ name, outcome, output }) => ({ name, outcome, output })),
      [
        { name: "mask", outcome: "Succeeded", output: "UPDATE 7" },
        { name: "after", outcome: "Succeeded", output: "UPDATE 7" },
      ],
    );
    const runs = stage.operator.execs.filter(({ namespace, command }) => namespace === "hooks" && command[3] === "hook");
    deepEqual(
      runs.map(({ stdin }) => stdin),
      ["wrong", "right", "true"],
    );
  });

  test("an open gate stays open: whatever becomes of its objects, and whatever is made of the hooks", async () => {
    const key = { namespace: "hooks", name: "orders" };
    const execs = stage.operator.execs.length;
    await stage.client.delete(configMaps, { namespace: "hooks", name: "orders-postgres-config" }, forever);
    await stage.client.delete(services, key, forever);
    await applyVdb(stage.client, "hooks", "orders", { hooks: hooks("on live data") });
    await until("the objects are back, open", async () => {
      const config = await stage.client.find(configMaps, { namespace: "hooks", name: "orders-postgres-config" }, forever);
      const service = await stage.client.find(services, key, forever);
      const open = /^host/mu.test(config?.data?.["pg_hba.conf"] ?? "");
      const [pod] = (await stage.client.list(pods, { namespace: "hooks" }, forever)).items;
      return open && selects(service?.spec.selector, pod?.metadata.labels) ? true : undefined;
    });
    await untilVdb(stage.client, "hooks", "orders", isReady);
    const since = stage.operator.execs.slice(execs).filter(({ namespace }) => namespace === "hooks");
    deepEqual(
      since.filter(({ command }) => command[3] === "hook" || !/^host/mu.test(command[4] ?? "")),
      [],
      "no hook, no shut gate",
    );
  });

  test("a hook that is changed or removed while it runs is ended first, and told as interrupted", async () => {
    await place("forsaken");
    const ran: string[] = [];
    stage.operator.answer = ({ command, stdin }) => {
      if (command[3] !== "hook") return healthy();
      ran.push(command[6] === "end" ? `end ${command[4]?.split("-").at(-1)?.length}` : (stdin ?? ""));
      return { stdout: stdin === "quick" ? "exit 0" : command[6] === "end" ? "interrupted" : "running" };
    };
    await applyVdb(stage.client, "forsaken", "orders", hook("slow"));
    await untilVdb(stage.client, "forsaken", "orders", ({ status }) => status.hooks?.[0]?.outcome === "Running");
    await until("it runs", async () => (ran.length > 0 ? true : undefined));
    await applyVdb(stage.client, "forsaken", "orders", hook("slower"));
    await until("its successor runs", async () => (ran.at(-1) === "slower" ? true : undefined));
    await applyVdb(stage.client, "forsaken", "orders", { hooks: [] });
    const vdb = await untilVdb(stage.client, "forsaken", "orders", isReady);
    equal(vdb.status.hooks?.[0]?.outcome, "Interrupted");
    deepEqual(
      [...new Set(ran)].filter((one) => one !== "end 12"),
      ["slow", "slower"],
    );
    deepEqual(
      ran.filter((one, index) => one !== ran[index - 1]),
      ["slow", "end 12", "slower", "end 12"],
    );
  });

  test("prepared transactions that came with the copy are named until they are gone", async () => {
    await place("twophase");
    const open = [{ gid: "left", owner: "app", database: "orders", since: "2026-01-01T00:00:00Z" }];
    let left: readonly object[] = open;
    stage.operator.answer = () => healthy({ preparedTransactions: left });
    await applyVdb(stage.client, "twophase", "orders");
    const vdb = await untilVdb(stage.client, "twophase", "orders", isReady);
    const hygiene = findCondition(vdb.status.conditions, "HygieneApplied");
    deepEqual([hygiene?.status, hygiene?.reason], ["True", "NeedsAttention"]);
    match(hygiene?.message ?? "", /'left' \(of app in database orders, .*ROLLBACK PREPARED/u);
    left = [];
    await stage.client.patch(vdbs, { namespace: "twophase", name: "orders" }, { metadata: { labels: { x: "y" } } }, forever);
    await untilVdb(
      stage.client,
      "twophase",
      "orders",
      ({ status }) => findCondition(status.conditions, "HygieneApplied")?.reason === "Clean",
    );
    stage.operator.answer = () => healthy();
  });

  test("a role or database that the data has not is named with those it has", async () => {
    await place("role");
    stage.operator.answer = ({ namespace }) =>
      namespace === "role" ? healthy({ roleExists: false, roles: ["app", "owner"] }) : healthy();
    await applyVdb(stage.client, "role", "orders", { database: { user: "someone", passwordSecretRef: "password" } });
    const vdb = await untilVdb(stage.client, "role", "orders", (one) => readyReason(one) === "RoleNotFound");
    match(vdb.status.lastError ?? "", /someone.*app, owner/u);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    equal(
      readyReason(await stage.client.get(vdbs, { namespace: "role", name: "orders" }, forever)),
      "RoleNotFound",
      "at the next look too",
    );
    stage.operator.answer = () => healthy();
    await untilVdb(stage.client, "role", "orders", isReady);
  });

  test("a role that the server lets into no session keeps the gate shut: before the hooks, and after them", async () => {
    await place("sessions");
    const loginFailure = 'login: psql: error: FATAL:  could not access file "absent": No such file or directory';
    let spoilt = false;
    let superusers = true;
    stage.operator.answer = ({ namespace, command }) => {
      if (namespace !== "sessions") return healthy();
      if (command[3] === "hook") {
        spoilt = true;
        return { stdout: "exit 0\nALTER ROLE" };
      }
      if (!superusers)
        return { exitCode: 12, stdout: "10 root\n01 app\n", stderr: 'psql: error: FATAL:  role "postgres" does not exist' };
      return spoilt ? { stdout: `${healthy().stdout ?? ""}\n${loginFailure}\n` } : healthy();
    };
    await applyVdb(stage.client, "sessions", "orders", hook("ALTER ROLE postgres SET session_preload_libraries = 'absent'"));
    const failed = await untilVdb(stage.client, "sessions", "orders", (vdb) => readyReason(vdb) === "LoginFailed");
    deepEqual([failed.status.content?.openedTime, failed.status.phase], [undefined, "Error"]);
    match(
      failed.status.lastError ?? "",
      /user postgres cannot open a session in database postgres: FATAL: {2}could not access file/u,
    );
    superusers = false;
    const without = await untilVdb(stage.client, "sessions", "orders", (vdb) => readyReason(vdb) === "SuperuserNotFound");
    match(without.status.lastError ?? "", /root may not.*app/u);
    [spoilt, superusers] = [false, true];
    const ready = await untilVdb(stage.client, "sessions", "orders", isReady);
    match(ready.status.content?.openedTime ?? "", /^\d{4}-/u);
  });
});
