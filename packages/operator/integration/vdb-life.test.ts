/** The life of a PostgresVDB on a real API server; the cluster around it is played. */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import {
  configMaps,
  defineResource,
  deployments,
  events,
  findCondition,
  isTrue,
  type KubeObject,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
} from "kube-runtime";
import { type FakeCluster, playCluster } from "./support/fake-cluster.ts";
import { type FakeDct, fakeDct } from "./support/fake-dct.ts";
import {
  applyVdb,
  type Bench,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  type RunningOperator,
  readyReason,
  startBench,
  startOperator,
  until,
  untilVdb,
  vdbs,
} from "./support/operator.ts";

const resourceQuotas = defineResource<KubeObject & { spec: object; status?: object }>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
});

const volumeAttachments = defineResource<KubeObject & { spec: object }>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  namespaced: false,
});

const dctSource = (reference: string) => ({ source: { type: "dct-source", reference } });

/** A hook that is corrected by its text, one after it, and one of another stage. */
const hooks = (script: string) => [
  { name: "mask", stage: "post-create", script },
  { name: "after", stage: "post-create", type: "command", script: "true" },
  { name: "another-stage", stage: "pre-refresh", script: "SELECT 1" },
];

const hook = (script: string) => ({ hooks: [{ name: "mask", stage: "post-create", script }] });
const messageOf = (vdb: PostgresVDB, type: string): string => findCondition(vdb.status.conditions, type)?.message ?? "";
const setting = (value: string) => ({ postgresConfig: [{ name: "work_mem", value }] });

describe("a PostgresVDB", { timeout: 480_000 }, () => {
  const shared = "life";
  const stack = new AsyncDisposableStack();
  let bench: Bench;
  let operator: RunningOperator;
  let dct: FakeDct;

  before(async () => {
    bench = stack.use(await startBench());
    dct = fakeDct();
    operator = stack.use(startOperator(bench.api, dct));
  });
  after(async () => {
    await clusters.get(shared)?.[Symbol.asyncDispose]();
    await stack.disposeAsync();
  });

  /** A namespace of the test's own with a cluster at work in it. */
  async function place(name: string): Promise<FakeCluster> {
    await newNamespace(bench.client, name);
    await makePassword(bench.client, name);
    return play(name);
  }
  const podNames = async (namespace: string): Promise<string> =>
    (await bench.client.list(pods, { namespace }, forever)).items.map(({ metadata }) => metadata.name).join();
  /** Ends with its test, but for the namespace that several tests share. */
  const clusters = new Map<string, FakeCluster>();
  function play(name: string): FakeCluster {
    const cluster = playCluster(bench.client, name);
    clusters.set(name, cluster);
    return cluster;
  }
  afterEach(async () => {
    for (const [name, cluster] of clusters) if (name !== shared) await cluster[Symbol.asyncDispose]();
  });

  test("comes up by the documented phases, and has what the documentation says", async () => {
    await place("life");
    const { resourceVersion } = await bench.client.list(vdbs, { namespace: "life" }, forever);
    await applyVdb(bench.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "work_mem", value: "7MB" }] });
    const vdb = await untilVdb(bench.client, "life", "orders", isReady);
    // A watch shows every phase that was ever stored; looks in between would miss the short ones.
    const phases: string[] = [];
    for await (const event of bench.client.watch(vdbs, { namespace: "life", resourceVersion }, forever)) {
      if (event.type === "bookmark" || event.object.status.phase === phases.at(-1)) continue;
      phases.push(event.object.status.phase);
      if (phases.at(-1) === "Ready") break;
    }
    deepEqual(phases, ["Pending", "Provisioning", "Configuring", "Deploying", "Ready"]);
    const { pvcName = "", contentId = "", delphixID, delphixVDB, endpoint, dataTimestamp } = vdb.status;
    match(pvcName, new RegExp(`^orders-${contentId.slice(0, 6)}$`, "u"));
    equal(endpoint, "orders.life.svc:5493");
    equal(dataTimestamp, "2026-01-01T00:00:00Z");
    deepEqual(vdb.metadata.labels, {
      sourceDBName: "production",
      sourceRef: "production",
      vdbGroupName: "Untitled",
      envName: "dev-env",
      engineName: "delphix-engine",
    });
    const claim = await bench.client.get(persistentVolumeClaims, { namespace: "life", name: pvcName }, forever);
    deepEqual(claim.metadata.annotations, {
      ...claim.metadata.annotations,
      vdbGroupName: "Untitled",
      envName: "dev-env",
      engineName: "delphix-engine",
      sourceDBName: "production",
      vdbStageMountpath: "/mnt/postgres",
      ownershipSpec: "999:999",
      "delphix.com/created": "true",
    });
    equal(claim.spec.resources?.requests?.["storage"], "4Gi", "the source's 3 GiB and a byte, rounded up");
    equal(delphixVDB, `dlpx-${claim.metadata.uid}`);
    equal(delphixID, `vdb-of-${pvcName}`);
    const service = await bench.client.get(services, { namespace: "life", name: "orders" }, forever);
    const [pod] = (await bench.client.list(pods, { namespace: "life" }, forever)).items;
    for (const [key, value] of Object.entries(service.spec.selector ?? {}))
      equal(pod?.metadata.labels?.[key], value, "an open gate leads to the pod");
  });

  test("ready, another look writes nothing", async () => {
    const key = { namespace: "life", name: "orders" };
    const versions = async () =>
      await Promise.all([
        bench.client.get(vdbs, key, forever),
        bench.client.get(deployments, key, forever),
        bench.client.get(services, key, forever),
        bench.client.get(configMaps, { namespace: "life", name: "orders-postgres-config" }, forever),
      ]).then((all) => all.map(({ metadata }) => metadata.resourceVersion));
    await until("it settles", async () => {
      const one = await versions();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (await versions()).join() === one.join() ? true : undefined;
    });
    const settled = await versions();
    const execs = operator.execs.length;
    // Another label on the claim wakes the reconcile.
    const name = (await bench.client.get(vdbs, key, forever)).status.pvcName ?? "";
    await bench.client.patch(
      persistentVolumeClaims,
      { namespace: "life", name },
      { metadata: { labels: { touched: "yes" } } },
      forever,
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    deepEqual(await versions(), settled);
    equal(operator.execs.length, execs, "nor is anything run in the pod");
  });

  test("while the gate is shut, nothing leads to the pod; hosts come in only after the password is set", async () => {
    await place("gate");
    operator.answer = () => ({ exitCode: 2, stderr: "the database system is starting up" });
    await applyVdb(bench.client, "gate", "masked");
    await untilVdb(bench.client, "gate", "masked", (vdb) => readyReason(vdb) === "Unreachable");
    const service = await bench.client.get(services, { namespace: "gate", name: "masked" }, forever);
    const [pod] = (await bench.client.list(pods, { namespace: "gate" }, forever)).items;
    ok(Object.entries(service.spec.selector ?? {}).some(([key, value]) => pod?.metadata.labels?.[key] !== value));
    const config = await bench.client.get(configMaps, { namespace: "gate", name: "masked-postgres-config" }, forever);
    equal(/^host/mu.test(config.data?.["pg_hba.conf"] ?? ""), false);
    const first = operator.execs.length;
    operator.answer = () => healthy();
    await untilVdb(bench.client, "gate", "masked", isReady);
    const texts = operator.execs
      .slice(first)
      .map(({ command, stdin = "" }) => `${/^host/mu.test(command[4] ?? "") ? "open" : "shut"} ${/verifier/u.test(stdin)}`);
    deepEqual(texts, ["shut true", "open true"]);
  });

  test("no client is let in before the post-create hooks have run, each once; a corrected one is run again", async () => {
    await place("hooks");
    operator.answer = ({ command, stdin }) => {
      if (command[3] !== "hook") return healthy();
      return { stdout: stdin === "wrong" ? "exit 3\nno such table, a-good-password" : "exit 0\nUPDATE 7" };
    };
    await applyVdb(bench.client, "hooks", "orders", { hooks: hooks("wrong") });
    const failed = await untilVdb(bench.client, "hooks", "orders", (vdb) => readyReason(vdb) === "HookFailed");
    match(failed.status.lastError ?? "", /mask failed with exit code 3.*no such table, \*\*\*/u);
    const selector = async () =>
      (await bench.client.get(services, { namespace: "hooks", name: "orders" }, forever)).spec.selector;
    const [pod] = (await bench.client.list(pods, { namespace: "hooks" }, forever)).items;
    const leadsToPod = async () =>
      Object.entries((await selector()) ?? {}).every(([key, value]) => pod?.metadata.labels?.[key] === value);
    equal(await leadsToPod(), false);
    equal(
      operator.execs.some(({ namespace, command }) => namespace === "hooks" && /^host/mu.test(command[4] ?? "")),
      false,
    );
    await applyVdb(bench.client, "hooks", "orders", { hooks: hooks("right") });
    const ready = await untilVdb(bench.client, "hooks", "orders", isReady);
    equal(await leadsToPod(), true);
    equal(ready.status.conditions?.find(({ type }) => type === "HooksComplete")?.reason, "PostRefreshMissing");
    deepEqual(
      ready.status.hooks?.map(({ name, outcome, output }) => ({ name, outcome, output })),
      [
        { name: "mask", outcome: "Succeeded", output: "UPDATE 7" },
        { name: "after", outcome: "Succeeded", output: "UPDATE 7" },
      ],
    );
    const runs = operator.execs.filter(({ namespace, command }) => namespace === "hooks" && command[3] === "hook");
    deepEqual(
      runs.map(({ stdin }) => stdin),
      ["wrong", "right", "true"],
    );
  });

  test("a hook that is changed or removed while it runs is ended first, and told as interrupted", async () => {
    await place("forsaken");
    const ran: string[] = [];
    operator.answer = ({ command, stdin }) => {
      if (command[3] !== "hook") return healthy();
      ran.push(command[6] === "end" ? `end ${command[4]?.split("-").at(-1)?.length}` : (stdin ?? ""));
      return { stdout: stdin === "quick" ? "exit 0" : command[6] === "end" ? "interrupted" : "running" };
    };
    await applyVdb(bench.client, "forsaken", "orders", hook("slow"));
    await untilVdb(bench.client, "forsaken", "orders", ({ status }) => status.hooks?.[0]?.outcome === "Running");
    await until("it runs", async () => (ran.length > 0 ? true : undefined));
    await applyVdb(bench.client, "forsaken", "orders", hook("slower"));
    await until("its successor runs", async () => (ran.at(-1) === "slower" ? true : undefined));
    await applyVdb(bench.client, "forsaken", "orders", { hooks: [] });
    const vdb = await untilVdb(bench.client, "forsaken", "orders", isReady);
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

  test("an open gate stays open: whatever becomes of its objects, and whatever is made of the hooks", async () => {
    const key = { namespace: "hooks", name: "orders" };
    const execs = operator.execs.length;
    await bench.client.delete(configMaps, { namespace: "hooks", name: "orders-postgres-config" }, forever);
    await bench.client.delete(services, key, forever);
    await applyVdb(bench.client, "hooks", "orders", { hooks: hooks("on live data") });
    await until("the objects are back, open", async () => {
      const config = await bench.client.find(configMaps, { namespace: "hooks", name: "orders-postgres-config" }, forever);
      const service = await bench.client.find(services, key, forever);
      const open = /^host/mu.test(config?.data?.["pg_hba.conf"] ?? "");
      return open && service?.spec.selector?.["postgresvdb.core.delphix.com/content"] !== "none" ? true : undefined;
    });
    await untilVdb(bench.client, "hooks", "orders", isReady);
    const since = operator.execs.slice(execs).filter(({ namespace }) => namespace === "hooks");
    deepEqual(
      since.filter(({ command }) => command[3] === "hook" || !/^host/mu.test(command[4] ?? "")),
      [],
      "no hook, no shut gate",
    );
  });

  test("an object that the API server refuses is told with its words, and a corrected manifest is enough", async () => {
    await place("refused");
    const pages = { "hugepages-2Mi": "4Mi" }; // which a pod may have beside cpu or memory alone
    const wrong = { resources: { requests: pages, limits: pages } };
    await applyVdb(bench.client, "refused", "orders", wrong);
    const vdb = await untilVdb(bench.client, "refused", "orders", (one) => readyReason(one) === "Invalid");
    equal(vdb.status.phase, "Error");
    match(vdb.status.lastError ?? "", /refuses Deployment orders.*HugePages require cpu or memory/su);
    await bench.client.patch(vdbs, { namespace: "refused", name: "orders" }, { spec: { resources: null } }, forever);
    await untilVdb(bench.client, "refused", "orders", isReady);
  });

  test("settings that the running server refuses are not stored: a pod that is moved starts with the former ones", async () => {
    await place("typo");
    operator.answer = ({ command }) =>
      command[5]?.includes("lots") === true ? { exitCode: 10, stderr: 'invalid value for parameter "work_mem"' } : healthy();
    const stored = async () =>
      (await bench.client.get(configMaps, { namespace: "typo", name: "orders-postgres-config" }, forever)).data?.[
        "settings.conf"
      ];
    await applyVdb(bench.client, "typo", "orders", setting("5MB"));
    await untilVdb(bench.client, "typo", "orders", isReady);
    await applyVdb(bench.client, "typo", "orders", setting("lots"));
    await untilVdb(bench.client, "typo", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    for (const { metadata } of (await bench.client.list(pods, { namespace: "typo" }, forever)).items)
      await bench.client.delete(pods, { namespace: "typo", name: metadata.name }, forever, { gracePeriodSeconds: 0 });
    await untilVdb(bench.client, "typo", "orders", (vdb) => readyReason(vdb) === "Starting");
    await untilVdb(bench.client, "typo", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    equal(await stored(), "work_mem = '5MB'\n");
    await applyVdb(bench.client, "typo", "orders", setting("6MB"));
    await untilVdb(bench.client, "typo", "orders", isReady);
    equal(await stored(), "work_mem = '6MB'\n");
  });

  test("a pod that does not start with its settings gets corrected ones", async () => {
    const cluster = await place("settings");
    operator.answer = () => healthy();
    const terminated = { exitCode: 1, message: "vdb:SettingRefused: PostgreSQL refuses its settings" };
    cluster.container = () => ({ terminated });
    await applyVdb(bench.client, "settings", "orders", setting("lots"));
    await untilVdb(bench.client, "settings", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    await applyVdb(bench.client, "settings", "orders", setting("5MB"));
    await until("they are stored", async () => {
      const key = { namespace: "settings", name: "orders-postgres-config" };
      return (await bench.client.get(configMaps, key, forever)).data?.["settings.conf"] === "work_mem = '5MB'\n"
        ? true
        : undefined;
    });
    cluster.container = () => ({ running: { startedAt: new Date().toISOString() } });
    await untilVdb(bench.client, "settings", "orders", isReady);
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
    await applyVdb(bench.client, "putoff", "orders", setting("lots"));
    await untilVdb(bench.client, "putoff", "orders", (vdb) => readyReason(vdb) === "SettingRefused");
    await applyVdb(bench.client, "putoff", "orders", setting("5MB"));
    await untilVdb(bench.client, "putoff", "orders", isReady, 8);
  });

  test("a database that fell back by itself is not restarted for the settings that it refused", async () => {
    await place("fallback");
    const bigger = { postgresConfig: [{ name: "shared_buffers", value: "100GB" }] };
    operator.answer = () => healthy();
    await applyVdb(bench.client, "fallback", "orders", setting("5MB"));
    await untilVdb(bench.client, "fallback", "orders", isReady);
    // The running server takes them; they wait for a restart. The pod that is made for that falls back.
    const first = await podNames("fallback");
    operator.answer = ({ namespace, command, pod }) => {
      if (namespace !== "fallback" || command[5]?.includes("100GB") !== true) return healthy();
      if (pod === first) return healthy({ pendingRestart: ["shared_buffers"] });
      return { exitCode: 10, stderr: "could not map anonymous shared memory: Cannot allocate memory" };
    };
    await applyVdb(bench.client, "fallback", "orders", bigger);
    const vdb = await untilVdb(bench.client, "fallback", "orders", (one) => readyReason(one) === "SettingRefused");
    match(vdb.status.lastError ?? "", /stay in force: could not map.*correct spec\.postgresConfig/u);
    const fallen = await podNames("fallback");
    notEqual(fallen, first);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    equal(await podNames("fallback"), fallen, "not again for the same settings");
    const service = await bench.client.get(services, { namespace: "fallback", name: "orders" }, forever);
    notEqual(service.spec.selector?.["postgresvdb.core.delphix.com/content"], "none", "its clients stay");
    await applyVdb(bench.client, "fallback", "orders", setting("6MB"));
    await untilVdb(bench.client, "fallback", "orders", isReady);
    equal(await podNames("fallback"), fallen, "corrected settings need no restart");
    operator.answer = () => healthy();
  });

  test("prepared transactions that came with the copy are named until they are gone", async () => {
    await place("twophase");
    const open = [{ gid: "left", owner: "app", database: "orders", since: "2026-01-01T00:00:00Z" }];
    let left: readonly object[] = open;
    operator.answer = () => healthy({ preparedTransactions: left });
    await applyVdb(bench.client, "twophase", "orders");
    const vdb = await untilVdb(bench.client, "twophase", "orders", isReady);
    const hygiene = findCondition(vdb.status.conditions, "HygieneApplied");
    deepEqual([hygiene?.status, hygiene?.reason], ["True", "NeedsAttention"]);
    match(hygiene?.message ?? "", /'left' \(of app in database orders, .*ROLLBACK PREPARED/u);
    left = [];
    await bench.client.patch(vdbs, { namespace: "twophase", name: "orders" }, { metadata: { labels: { x: "y" } } }, forever);
    await untilVdb(
      bench.client,
      "twophase",
      "orders",
      ({ status }) => findCondition(status.conditions, "HygieneApplied")?.reason === "Adjusted",
    );
    operator.answer = () => healthy();
  });

  test("the database runs under the restricted profile", async () => {
    const { spec } = await bench.client.get(deployments, { namespace: "life", name: "orders" }, forever);
    const pod = spec.template.spec;
    equal(pod.automountServiceAccountToken, false);
    deepEqual(pod.securityContext, {
      runAsUser: 999,
      runAsGroup: 999,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    deepEqual(pod.containers[0]?.securityContext?.capabilities, { drop: ["ALL"] });
    equal(spec.strategy?.type, "Recreate");
  });

  test("a missing Secret, then a missing key, are named; the right one is enough", async () => {
    await newNamespace(bench.client, "secret");
    play("secret");
    await applyVdb(bench.client, "secret", "orders");
    const missing = await untilVdb(bench.client, "secret", "orders", (vdb) => readyReason(vdb) === "SecretNotFound");
    equal(missing.status.phase, "Error");
    equal(
      (await bench.client.list(persistentVolumeClaims, { namespace: "secret" }, forever)).items.length,
      0,
      "nothing half-made",
    );
    const secret = { metadata: { name: "password", namespace: "secret" }, stringData: { pasword: "misspelled" } };
    await bench.client.create(secrets, secret, forever);
    await untilVdb(bench.client, "secret", "orders", (vdb) => readyReason(vdb) === "SecretKeyMissing", 8);
    await makePassword(bench.client, "secret");
    const ready = await untilVdb(bench.client, "secret", "orders", isReady, 10);
    equal(ready.status.lastError, "");
  });

  test("a source that is not there is named with the choices; when it appears, the database comes up", async () => {
    await place("source");
    await applyVdb(bench.client, "source", "orders", { source: { type: "dct-source", reference: "delphix-engine:absent" } });
    const vdb = await untilVdb(bench.client, "source", "orders", (one) => readyReason(one) === "SourceNotFound");
    equal(vdb.status.phase, "Error");
    match(vdb.status.lastError ?? "", /absent.*production/u);
    dct.sources.add("absent");
    await untilVdb(bench.client, "source", "orders", isReady);
  });

  test("a VDB is a source as soon as its gate is open: a copy is no way around its hooks", async () => {
    await place("copied");
    operator.answer = ({ command, stdin }) =>
      command[3] === "hook" ? { stdout: stdin === "wrong" ? "exit 3\nno such table" : "exit 0" } : healthy();
    await applyVdb(bench.client, "copied", "masked", hook("wrong"));
    const first = await untilVdb(bench.client, "copied", "masked", (vdb) => readyReason(vdb) === "HookFailed");
    dct.vdbs.set("dlpx-masked", first.status.delphixID ?? "");
    await applyVdb(bench.client, "copied", "copy", dctSource("delphix-engine:dlpx-masked"));
    const shut = await untilVdb(bench.client, "copied", "copy", (vdb) => readyReason(vdb) === "SourceNotReady");
    match(shut.status.lastError ?? "", /VDB dlpx-masked has not been opened to clients yet/u);
    await applyVdb(bench.client, "copied", "masked", hook("right"));
    const copy = await untilVdb(bench.client, "copied", "copy", isReady, 20);
    equal(copy.status.source?.name, "dlpx-masked");
    operator.answer = () => healthy();
  });

  test("a source that was wrong is corrected: Ready, by the new labels, and nothing of the wrong try is left", async () => {
    await place("corrected");
    await applyVdb(bench.client, "corrected", "orders", dctSource("no-engine:no-source"));
    await untilVdb(bench.client, "corrected", "orders", (one) => readyReason(one) === "EngineNotFound");
    await applyVdb(bench.client, "corrected", "orders", dctSource("delphix-engine:no-source"));
    await untilVdb(bench.client, "corrected", "orders", (one) => readyReason(one) === "SourceNotFound");
    await applyVdb(bench.client, "corrected", "orders", dctSource("delphix-engine:production"));
    const vdb = await untilVdb(bench.client, "corrected", "orders", isReady);
    equal(vdb.status.source?.name, "production");
    equal(vdb.metadata.labels?.["sourceDBName"], "production");
    equal((await bench.client.list(persistentVolumeClaims, { namespace: "corrected" }, forever)).items.length, 1);
    await rejects(
      applyVdb(bench.client, "corrected", "orders", dctSource("delphix-engine:other")),
      /immutable once the data exists/u,
    );
  });

  test("a claim that holds no data yet is made anew when what it is made from is corrected", async () => {
    const cluster = await place("pending");
    cluster.provision = "nothing"; // as for a class that is not there
    dct.sources.add("other");
    await applyVdb(bench.client, "pending", "orders", { storageClassName: "absent" });
    const claim = async () => (await bench.client.list(persistentVolumeClaims, { namespace: "pending" }, forever)).items[0];
    const first = await until("a claim", claim);
    await applyVdb(bench.client, "pending", "orders", dctSource("delphix-engine:other"));
    const second = await until("another claim", async () => {
      const found = await claim();
      return found === undefined || found.metadata.uid === first.metadata.uid ? undefined : found;
    });
    equal(second.spec.storageClassName, "de-fs-storage");
    equal(second.metadata.annotations?.["sourceDBName"], "other");
    cluster.provision = "bind";
    const vdb = await untilVdb(bench.client, "pending", "orders", isReady);
    equal(vdb.status.source?.name, "other");
    equal(vdb.metadata.labels?.["sourceDBName"], "other");
    equal((await bench.client.list(persistentVolumeClaims, { namespace: "pending" }, forever)).items.length, 1);
    deepEqual([...cluster.provisioned.values()], [1]);
  });

  test("a claim that a quota does not let in is named; without the quota the database comes up", async () => {
    await place("quota");
    const [hard, used] = [{ persistentvolumeclaims: "1" }, { persistentvolumeclaims: "1" }]; // nobody counts here
    await bench.client.create(resourceQuotas, { metadata: { name: "claims", namespace: "quota" }, spec: { hard } }, forever);
    await bench.client.patchStatus(resourceQuotas, { namespace: "quota", name: "claims" }, { status: { hard, used } }, forever);
    await new Promise((resolve) => setTimeout(resolve, 500)); // until admission knows of it
    await applyVdb(bench.client, "quota", "orders");
    const vdb = await untilVdb(bench.client, "quota", "orders", (one) => readyReason(one) === "ProvisioningFailed");
    equal(vdb.status.phase, "Error");
    match(vdb.status.lastError ?? "", /claim orders-\w+ is not let in: .*quota/u);
    await bench.client.delete(resourceQuotas, { namespace: "quota", name: "claims" }, forever);
    await untilVdb(bench.client, "quota", "orders", isReady);
  });

  test("the snapshot that was taken is told, not the one that was the newest before", async () => {
    await place("origin");
    dct.takenAt = "2025-12-31T23:00:00Z";
    await applyVdb(bench.client, "origin", "orders");
    const vdb = await untilVdb(bench.client, "origin", "orders", isReady);
    dct.takenAt = "2026-01-01T00:00:00Z";
    equal(vdb.status.dataTimestamp, "2025-12-31T23:00:00Z");
    equal(vdb.status.source?.snapshotId, "1-APPDATA_SNAPSHOT-production-1");
  });

  test("labels that somebody took away are put back; a claim that is being deleted is told of while the pod keeps it", async () => {
    await place("claim");
    await applyVdb(bench.client, "claim", "orders");
    const ready = await untilVdb(bench.client, "claim", "orders", isReady);
    const key = { namespace: "claim", name: "orders" };
    await bench.client.patch(vdbs, key, { metadata: { labels: { engineName: null, sourceRef: "wrong" } } }, forever);
    const again = await untilVdb(
      bench.client,
      "claim",
      "orders",
      ({ metadata }) => metadata.labels?.["engineName"] !== undefined,
    );
    deepEqual(again.metadata.labels, ready.metadata.labels);
    await bench.client.delete(persistentVolumeClaims, { namespace: "claim", name: ready.status.pvcName ?? "" }, forever);
    const warned = await untilVdb(bench.client, "claim", "orders", ({ status }) =>
      /is being deleted, and its data goes/u.test(findCondition(status.conditions, "Provisioned")?.message ?? ""),
    );
    ok(isReady(warned), "it serves its clients as long as it has its data");
  });

  test("a DCT that is down is named; when it is back, the database comes up; the others run on", async () => {
    await place("down");
    dct.up = false;
    await applyVdb(bench.client, "down", "orders");
    const vdb = await untilVdb(bench.client, "down", "orders", (one) => readyReason(one) === "DctUnreachable");
    notEqual(vdb.status.phase, "Ready");
    ok(isReady(await bench.client.get(vdbs, { namespace: "life", name: "orders" }, forever)));
    dct.up = true;
    await untilVdb(bench.client, "down", "orders", isReady);
  });

  test("an image that cannot be had is named; a corrected one is enough", async () => {
    const cluster = await place("image");
    cluster.container = (pod) =>
      pod.spec.containers[0]?.image === "127.0.0.1:1/absent:1"
        ? { waiting: { reason: "ErrImagePull", message: "connect: connection refused" } }
        : { running: {} };
    await applyVdb(bench.client, "image", "orders", { image: "127.0.0.1:1/absent:1" });
    const vdb = await untilVdb(bench.client, "image", "orders", (one) => readyReason(one) === "ImagePullFailed");
    match(vdb.status.lastError ?? "", /127\.0\.0\.1:1\/absent:1.*connection refused/u);
    await applyVdb(bench.client, "image", "orders", { image: "postgres:16.2" });
    await untilVdb(bench.client, "image", "orders", isReady);
  });

  test("data that is no database is an Error and stays one; when it is there, a new pod sees it", async () => {
    const cluster = await place("empty");
    const firstSeen = new Map<string, number>();
    const age = ({ metadata: { uid } }: Pod): number => {
      firstSeen.set(uid, firstSeen.get(uid) ?? performance.now());
      return performance.now() - (firstSeen.get(uid) ?? 0);
    };
    // As the kubelet has it: the container ends, is started again at once, ends again, and is then put off. The wait seems long.
    const finishedAt = new Date(Date.now() - 60_000).toISOString();
    const terminated = { exitCode: 1, message: "vdb:NotADatabase: the volume holds no folder data", finishedAt };
    cluster.details = () => ({ ready: false, lastState: { terminated } });
    cluster.container = (pod) => {
      if (age(pod) < 300) return { terminated };
      if (age(pod) < 600) return { running: { startedAt: new Date().toISOString() } };
      return { waiting: { reason: "CrashLoopBackOff" } };
    };
    await applyVdb(bench.client, "empty", "orders");
    const vdb = await untilVdb(bench.client, "empty", "orders", (one) => readyReason(one) === "NotADatabase");
    match(vdb.status.lastError ?? "", /no folder data/u);
    const seen = new Set<string>();
    await until("two pods later", async () => {
      const { status } = await bench.client.get(vdbs, { namespace: "empty", name: "orders" }, forever);
      seen.add(`${status.phase} ${status.lastError ?? ""}`);
      return firstSeen.size > 2 ? true : undefined;
    });
    deepEqual([...seen], ["Error the volume holds no folder data"]);
    cluster.details = () => ({});
    cluster.container = () => ({ running: { startedAt: new Date().toISOString() } });
    await untilVdb(bench.client, "empty", "orders", isReady, 30);
  });

  test("a role or database that the data has not is named with those it has", async () => {
    await place("role");
    operator.answer = ({ namespace }) =>
      namespace === "role" ? healthy({ roleExists: false, roles: ["app", "owner"] }) : healthy();
    await applyVdb(bench.client, "role", "orders", { database: { user: "someone", passwordSecretRef: "password" } });
    const vdb = await untilVdb(bench.client, "role", "orders", (one) => readyReason(one) === "RoleNotFound");
    match(vdb.status.lastError ?? "", /someone.*app, owner/u);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    equal(
      readyReason(await bench.client.get(vdbs, { namespace: "role", name: "orders" }, forever)),
      "RoleNotFound",
      "at the next look too",
    );
    operator.answer = () => healthy();
    await untilVdb(bench.client, "role", "orders", isReady);
  });

  test("a role that the server lets into no session keeps the gate shut: before the hooks, and after them", async () => {
    await place("sessions");
    const loginFailure = 'login: psql: error: FATAL:  could not access file "absent": No such file or directory';
    let spoilt = false;
    let superusers = true;
    operator.answer = ({ namespace, command }) => {
      if (namespace !== "sessions") return healthy();
      if (command[3] === "hook") {
        spoilt = true;
        return { stdout: "exit 0\nALTER ROLE" };
      }
      if (!superusers)
        return { exitCode: 12, stdout: "10 root\n01 app\n", stderr: 'psql: error: FATAL:  role "postgres" does not exist' };
      return spoilt ? { stdout: `${healthy().stdout ?? ""}\n${loginFailure}\n` } : healthy();
    };
    await applyVdb(bench.client, "sessions", "orders", hook("ALTER ROLE postgres SET session_preload_libraries = 'absent'"));
    const failed = await untilVdb(bench.client, "sessions", "orders", (vdb) => readyReason(vdb) === "LoginFailed");
    deepEqual([failed.status.openedFor, failed.status.phase], [undefined, "Error"]);
    match(
      failed.status.lastError ?? "",
      /user postgres cannot open a session in database postgres: FATAL: {2}could not access file/u,
    );
    superusers = false;
    const without = await untilVdb(bench.client, "sessions", "orders", (vdb) => readyReason(vdb) === "SuperuserNotFound");
    match(without.status.lastError ?? "", /root may not.*app/u);
    [spoilt, superusers] = [false, true];
    const ready = await untilVdb(bench.client, "sessions", "orders", isReady);
    equal(ready.status.openedFor, ready.status.contentId);
  });

  test("disabled, its pod goes and its claim stays; enabled, it is Ready again; DCT knows of both", async () => {
    const key = { namespace: "life", name: "orders" };
    const { delphixID = "" } = (await bench.client.get(vdbs, key, forever)).status;
    await bench.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    const stopped = await untilVdb(bench.client, "life", "orders", ({ status }) => status.phase === "Stopped");
    equal((await bench.client.list(pods, { namespace: "life" }, forever)).items.length, 0);
    equal((await bench.client.list(persistentVolumeClaims, { namespace: "life" }, forever)).items.length, 1);
    ok(isTrue(stopped.status.conditions, "Provisioned"));
    ok(!dct.isEnabled(delphixID), "disabled in DCT once the pod is gone");
    await bench.client.patch(vdbs, key, { spec: { enabled: true } }, forever);
    await untilVdb(bench.client, "life", "orders", isReady);
    deepEqual(dct.asked, [`disable ${delphixID}`, `enable ${delphixID}`]);
    ok(dct.isEnabled(delphixID));
  });

  test("with DCT down it says so when it stops and when it starts, and goes on when DCT is back", async () => {
    const key = { namespace: "life", name: "orders" };
    const enable = async (enabled: boolean) => await bench.client.patch(vdbs, key, { spec: { enabled } }, forever);
    dct.up = false;
    await enable(false);
    const stopping = await untilVdb(bench.client, "life", "orders", (one) => readyReason(one) === "DctUnreachable");
    notEqual(stopping.status.phase, "Stopped");
    equal((await bench.client.list(pods, { namespace: "life" }, forever)).items.length, 0, "the pod is gone all the same");
    dct.up = true;
    await untilVdb(bench.client, "life", "orders", ({ status }) => status.phase === "Stopped");
    dct.up = false;
    await enable(true);
    await untilVdb(bench.client, "life", "orders", (one) => readyReason(one) === "DctUnreachable");
    equal((await bench.client.list(pods, { namespace: "life" }, forever)).items.length, 0);
    dct.up = true;
    await untilVdb(bench.client, "life", "orders", isReady);
  });

  test("where Kubernetes attaches the volume, DCT is the driver's: it is Stopped when the volume is detached", async () => {
    const cluster = await place("attached");
    cluster.driver = "attaching.csi.example.com"; // of which nobody says that it need not be attached
    await applyVdb(bench.client, "attached", "orders");
    const { delphixVDB = "", delphixID = "" } = (await untilVdb(bench.client, "attached", "orders", isReady)).status;
    const spec = { attacher: cluster.driver, nodeName: "node", source: { persistentVolumeName: delphixVDB } };
    await bench.client.create(volumeAttachments, { metadata: { name: "attachment" }, spec }, forever);
    const key = { namespace: "attached", name: "orders" };
    await bench.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    await untilVdb(bench.client, "attached", "orders", ({ status }) =>
      /is being detached/u.test(findCondition(status.conditions, "Deployed")?.message ?? ""),
    );
    await bench.client.delete(volumeAttachments, { name: "attachment" }, forever);
    await untilVdb(bench.client, "attached", "orders", ({ status }) => status.phase === "Stopped");
    await bench.client.patch(vdbs, key, { spec: { enabled: true } }, forever);
    await untilVdb(bench.client, "attached", "orders", isReady);
    deepEqual(
      dct.asked.filter((call) => call.endsWith(` ${delphixID}`)),
      [],
      "the operator asks DCT for nothing",
    );
  });

  test("an evicted pod, which stays as an object, does not keep it from being Stopped or deleted", async () => {
    await place("evicted");
    await applyVdb(bench.client, "evicted", "orders");
    await untilVdb(bench.client, "evicted", "orders", isReady);
    const [pod] = (await bench.client.list(pods, { namespace: "evicted" }, forever)).items;
    const evicted = { namespace: "evicted", name: pod?.metadata.name ?? "" };
    await bench.client.patchStatus(pods, evicted, { status: { phase: "Failed", reason: "Evicted" } }, forever);
    await until("another pod", async () =>
      (await bench.client.list(pods, { namespace: "evicted" }, forever)).items.length === 2 ? true : undefined,
    );
    await untilVdb(bench.client, "evicted", "orders", isReady);
    const key = { namespace: "evicted", name: "orders" };
    await bench.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    await untilVdb(bench.client, "evicted", "orders", ({ status }) => status.phase === "Stopped");
    ok(await bench.client.find(pods, evicted, forever), "it is still there");
    await bench.client.delete(vdbs, key, forever);
    await until("the object is gone", async () =>
      (await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined,
    );
  });

  test("a storage that fills up is told on every database of its engine, with an event for each change; it takes no part in Ready", async () => {
    await place("full");
    operator.answer = () => healthy();
    const MiB = 2 ** 20;
    const leave = (freeMiB: number): void => {
      const capacity = 1024 * MiB;
      dct.storage = {
        data_storage_capacity: capacity,
        data_storage_used: capacity - freeMiB * MiB,
        data_storage_reserve: 64 * MiB,
      };
    };
    const told = async (name: string, reason: string) =>
      await untilVdb(
        bench.client,
        "full",
        name,
        ({ status }) => findCondition(status.conditions, "StorageHealthy")?.reason === reason,
      );
    for (const name of ["runs", "stopped"]) await applyVdb(bench.client, "full", name);
    for (const name of ["runs", "stopped"]) {
      const vdb = await untilVdb(bench.client, "full", name, isReady);
      equal(findCondition(vdb.status.conditions, "StorageHealthy"), undefined, "without figures nothing is said");
    }
    await applyVdb(bench.client, "full", "stopped", { enabled: false });
    await untilVdb(bench.client, "full", "stopped", ({ status }) => status.phase === "Stopped");
    for (const [freeMiB, reason] of [
      [500, "RoomLeft"],
      [60, "PoolNearlyFull"],
      [3, "PoolFull"],
      [500, "RoomLeft"],
    ] as const) {
      leave(freeMiB);
      const vdb = await told("runs", reason);
      ok(isReady(vdb), "Ready says whether clients are served");
      equal((await told("stopped", reason)).status.phase, "Stopped");
    }
    const { items } = await bench.client.list(events, { namespace: "full", fieldSelector: "regarding.name=runs" }, forever);
    deepEqual(
      items
        .map(({ reason }) => reason)
        .filter((reason) => /^Pool|^RoomLeft$/u.test(reason))
        .toSorted(),
      ["PoolFull", "PoolNearlyFull", "RoomLeft"],
    );
    dct.storage = {};
    await untilVdb(
      bench.client,
      "full",
      "runs",
      ({ status }) => findCondition(status.conditions, "StorageHealthy") === undefined,
    );
  });

  test("a setting that needs a restart gets one, another none", async () => {
    const pod = async () =>
      (await bench.client.list(pods, { namespace: "life" }, forever)).items.map(({ metadata }) => metadata.name).join();
    const first = await pod();
    await applyVdb(bench.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "work_mem", value: "8MB" }] });
    await until("it is in force", async () => (operator.execs.at(-1)?.command[5]?.includes("8MB") === true ? true : undefined));
    await untilVdb(bench.client, "life", "orders", isReady);
    equal(await pod(), first);
    // The second pod has come up with the former settings too, as it may when the kubelet has not yet seen the new ones.
    const waiting = new Set<string>();
    operator.answer = ({ command, pod: name }) => {
      if (command[5]?.includes("max_connections") !== true || (waiting.size === 2 && !waiting.has(name))) return healthy();
      waiting.add(name);
      return healthy({ pendingRestart: ["max_connections"] });
    };
    await applyVdb(bench.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "max_connections", value: "77" }] });
    await untilVdb(bench.client, "life", "orders", (vdb) => isReady(vdb) && waiting.size === 2);
    operator.answer = () => healthy({ pendingElsewhere: ["wal_level"] });
    await applyVdb(bench.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "max_connections", value: "78" }] });
    const vdb = await untilVdb(bench.client, "life", "orders", isReady);
    const last = await pod();
    match(vdb.status.conditions?.find(({ type }) => type === "Prepared")?.message ?? "", /waiting for a restart: wal_level/u);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    equal(await pod(), last, "what somebody set in the database itself restarts nothing");
    operator.answer = () => healthy();
    await bench.client.patch(vdbs, { namespace: "life", name: "orders" }, { metadata: { labels: { look: "again" } } }, forever);
    await untilVdb(bench.client, "life", "orders", (one) => messageOf(one, "Prepared") === "settings and password are in force");
  });

  test("a manifest of the vendor's build is taken where it means what holds anyway, and says so", async () => {
    await place("vendor");
    const source = { type: "dct-source", reference: "delphix-engine:production", namespace: "vendor" };
    const postgresConfig = [
      { name: "listen_addresses", value: "'*'" },
      { name: "port", value: "5432" },
      { name: "work_mem", value: "'9MB'" },
    ];
    const resources = { requests: { cpu: 0.25, memory: "256Mi" }, limits: { cpu: 2, memory: 1_073_741_824 } };
    await applyVdb(bench.client, "vendor", "orders", { source, postgresConfig, resources });
    const vdb = await untilVdb(bench.client, "vendor", "orders", isReady);
    const accepted = findCondition(vdb.status.conditions, "Accepted");
    equal(accepted?.reason, "Adjusted");
    equal(
      accepted.message,
      "left out of spec.postgresConfig, as it holds anyway: listen_addresses, port; " +
        "read without the quotes inside the value: listen_addresses, work_mem; " +
        "spec.source.namespace is this PostgresVDB's own, and needless",
    );
    match(messageOf(vdb, "Ready"), /^clients can connect to orders\.vendor\.svc:5432, with the source's data as of \d{4}-/u);
    equal(findCondition(vdb.status.conditions, "HygieneApplied")?.reason, "Clean", "every copy leaves `port` behind");
    const map = await bench.client.get(configMaps, { namespace: "vendor", name: "orders-postgres-config" }, forever);
    equal(map.data?.["settings.conf"], "work_mem = '9MB'\n");
    const deployment = await bench.client.get(deployments, { namespace: "vendor", name: "orders" }, forever);
    deepEqual(deployment.spec.template.spec.containers[0]?.resources, {
      requests: { cpu: "250m", memory: "256Mi" },
      limits: { cpu: "2", memory: "1073741824" },
    });
  });

  test("what no rule of the CRD can see is refused by the operator, before anything is made", async () => {
    await place("unseen");
    const elsewhere = { type: "dct-source", reference: "delphix-engine:production", namespace: "vendor" };
    await applyVdb(bench.client, "unseen", "elsewhere", { source: elsewhere });
    await applyVdb(bench.client, "unseen", "too-much", { resources: { requests: { cpu: 2 }, limits: { cpu: 0.5 } } });
    const refused = async (name: string) => {
      const vdb = await untilVdb(bench.client, "unseen", name, (one) => isTrue(one.status.conditions, "Stalled"));
      return [readyReason(vdb), messageOf(vdb, "Accepted")];
    };
    deepEqual(await refused("elsewhere"), [
      "BadReference",
      "spec.source.namespace vendor is not this PostgresVDB's own (unseen), and a dct-source can be in no other: leave it out",
    ]);
    deepEqual(await refused("too-much"), [
      "ResourcesRefused",
      "spec.resources.requests.cpu 2 exceeds spec.resources.limits.cpu 0.5: lower the one or raise the other",
    ]);
    equal((await bench.client.list(persistentVolumeClaims, { namespace: "unseen" }, forever)).items.length, 0);
  });

  test("deleted, everything goes, volume included", async () => {
    const key = { namespace: "life", name: "orders" };
    await bench.client.delete(vdbs, key, forever);
    await until("the object is gone", async () =>
      (await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined,
    );
    const left = await Promise.all([
      bench.client.list(deployments, { namespace: "life" }, forever),
      bench.client.list(services, { namespace: "life" }, forever),
      bench.client.list(pods, { namespace: "life" }, forever),
      bench.client.list(persistentVolumeClaims, { namespace: "life" }, forever),
      bench.client.list(configMaps, { namespace: "life" }, forever), // nothing collects garbage here
    ]);
    deepEqual(
      left.map(({ items }) => items.length),
      [0, 0, 0, 0, 0],
    );
    const volumes = (await bench.client.list(persistentVolumes, {}, forever)).items;
    equal(volumes.filter(({ spec }) => spec.claimRef?.namespace === "life").length, 0);
  });

  test("deletion works when nothing was made, and DCT was never there", async () => {
    await place("never");
    dct.up = false;
    await applyVdb(bench.client, "never", "orders");
    await untilVdb(bench.client, "never", "orders", (one) => readyReason(one) === "DctUnreachable");
    const key = { namespace: "never", name: "orders" };
    await bench.client.delete(vdbs, key, forever);
    await until("the object is gone", async () =>
      (await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined,
    );
    dct.up = true;
  });

  test("deletion finds what has lost the operator's labels", async () => {
    await place("unlabelled");
    await applyVdb(bench.client, "unlabelled", "orders");
    const { status } = await untilVdb(bench.client, "unlabelled", "orders", isReady);
    const key = { namespace: "unlabelled", name: "orders" };
    await operator[Symbol.asyncDispose](); // it would put them back
    const unlabelled = { metadata: { labels: { "app.kubernetes.io/managed-by": null } } };
    await bench.client.patch(deployments, key, unlabelled, forever);
    await bench.client.patch(services, key, unlabelled, forever);
    await bench.client.patch(configMaps, { namespace: "unlabelled", name: "orders-postgres-config" }, unlabelled, forever);
    await bench.client.patch(
      persistentVolumeClaims,
      { namespace: "unlabelled", name: status.pvcName ?? "" },
      unlabelled,
      forever,
    );
    await bench.client.delete(vdbs, key, forever);
    operator = stack.use(startOperator(bench.api, dct));
    await until("the object is gone", async () =>
      (await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined,
    );
    const claims = await bench.client.list(persistentVolumeClaims, { namespace: "unlabelled" }, forever);
    equal(claims.items.length, 0);
  });

  test("volumes whose class says Retain stay, and do not keep the object", async () => {
    const cluster = await place("kept");
    cluster.reclaim = "Retain";
    await applyVdb(bench.client, "kept", "orders");
    await untilVdb(bench.client, "kept", "orders", isReady);
    const key = { namespace: "kept", name: "orders" };
    await bench.client.delete(vdbs, key, forever);
    await until("the object is gone", async () =>
      (await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined,
    );
    equal((await bench.client.list(persistentVolumeClaims, { namespace: "kept" }, forever)).items.length, 0);
    const volumes = (await bench.client.list(persistentVolumes, {}, forever)).items;
    equal(volumes.filter(({ spec }) => spec.claimRef?.namespace === "kept").length, 1);
  });

  test("with deletionPolicy Retain the claim stays and belongs to nobody", async () => {
    await place("retain");
    await applyVdb(bench.client, "retain", "orders", { deletionPolicy: "Retain" });
    await untilVdb(bench.client, "retain", "orders", isReady);
    const key = { namespace: "retain", name: "orders" };
    await bench.client.delete(vdbs, key, forever);
    await until("the object is gone", async () =>
      (await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined,
    );
    const [claim] = (await bench.client.list(persistentVolumeClaims, { namespace: "retain" }, forever)).items;
    equal(claim?.metadata.ownerReferences, undefined);
    equal(claim?.metadata.deletionTimestamp, undefined);
  });

  test("a claim or Deployment of somebody else's under its name is left alone, and named", async () => {
    await place("taken");
    const labels = { "app.kubernetes.io/name": "another" };
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "x", image: "x" }] } },
      replicas: 0,
    };
    await bench.client.create(deployments, { metadata: { name: "orders", namespace: "taken" }, spec }, forever);
    await applyVdb(bench.client, "taken", "orders");
    await untilVdb(bench.client, "taken", "orders", (vdb) => readyReason(vdb) === "NameTaken");
    deepEqual(
      (await bench.client.get(deployments, { namespace: "taken", name: "orders" }, forever)).spec.selector.matchLabels,
      labels,
    );
  });

  test("what this version cannot do is said, not ignored", async () => {
    await place("unsupported");
    const cases = {
      clone: [{ source: { type: "pvc-clone", reference: "a-claim" } }, "SourceTypeNotSupported"],
      standby: [{ mode: "Standby" }, "ModeNotSupported"],
    } as const;
    for (const [name, [spec, reason]] of Object.entries(cases)) {
      await applyVdb(bench.client, "unsupported", name, spec);
      await untilVdb(bench.client, "unsupported", name, (vdb) => readyReason(vdb) === reason);
    }
  });
});
