/** The driver's process against the engine's process, on a real btrfs and real mounts, called as Kubernetes calls it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allOf, eq } from "@vdb/dct";
import { runCsiSanity } from "./testing/csi-sanity.ts";
import { call, type Driver, startDriver } from "./testing/driver.ts";
import { configureEngine, type Engine, nodeName, poolDir, startEngine, waitForSnapshot } from "./testing/engine.ts";
import { claimNamespace, type Kubernetes, startKubernetes } from "./testing/kubernetes.ts";
import { createdSnapshot, createdVolume, createRequest, publishRequest, snapshotRequest } from "./testing/requests.ts";
import { mountOptions, type Scratch, scratchFolder, unmount } from "./testing/scratch.ts";
import { type Source, startSource } from "./testing/source.ts";

describe("the driver and the engine", { timeout: 900_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Source;
  let engine: Engine;
  let kubernetes: Kubernetes;
  let driver: Driver;
  let names = 0;
  let name = "";

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch));
    configureEngine(scratch, source);
    kubernetes = stack.use(await startKubernetes());
    stack.defer(async () => void (await engine.end("SIGTERM")));
    stack.defer(async () => void (await driver.end("SIGTERM")));
    engine = await startEngine(scratch, source);
    driver = await startDriver(scratch, kubernetes);
    kubernetes.secret = engine.credentials;
    kubernetes.claims.set("orders", { sourceDBName: "production", envName: "dev-env" });
    await waitForSnapshot(engine);
  });
  after(() => stack.disposeAsync());
  beforeEach(() => {
    names += 1;
    name = `dlpx-${names}`;
  });

  const create = (claim = "orders", deadlineSeconds = 60) =>
    call(driver.socket, "CreateVolume", createRequest(name, claim), deadlineSeconds);
  const vdbs = async (): Promise<readonly string[]> =>
    (await engine.client.searchVdbs()).flatMap((vdb) => (vdb.name === name ? vdb.id : []));
  const data = (id: string, file: string): string => join(poolDir(scratch), "vdbs", id, "data", file);
  const target = (): string => join(scratch.path, "kubelet/pods", name, "mount");
  const subvolumes = (): readonly string[] => readdirSync(join(poolDir(scratch), "vdbs"));

  test("a claim becomes a VDB, a VDB becomes a mount that the node sees, and both go without a trace", async () => {
    const volume = createdVolume(await create());
    deepEqual(volume.nodes, [nodeName]);
    equal(volume.context["exportedDataPool"], readFileSync(join(poolDir(scratch), ".delphix-pool"), "utf8").trim());
    const publish = () => call(driver.socket, "NodePublishVolume", publishRequest(volume, target()));
    equal((await publish()).code, "OK");
    equal((await publish()).code, "OK", "the kubelet calls again after its own restart");
    equal(readFileSync(join(target(), "data/PG_VERSION"), "utf8").trim(), "16");
    const { uid, mode } = statSync(join(target(), "data"));
    deepEqual({ uid, mode: mode & 0o777 }, { uid: 999, mode: 0o700 });
    writeFileSync(join(target(), "data/written-by-a-pod"), "");
    ok(
      existsSync(join(poolDir(scratch), "vdbs", volume.id, "data/written-by-a-pod")),
      "the pod writes into the VDB, not beside it",
    );

    const unpublish = () => call(driver.socket, "NodeUnpublishVolume", { volumeId: volume.id, targetPath: target() });
    equal((await unpublish()).code, "OK");
    equal((await unpublish()).code, "OK");
    equal(mountOptions(target()), undefined);
    equal(existsSync(target()), false);

    const remove = () => call(driver.socket, "DeleteVolume", { volumeId: volume.id });
    equal((await remove()).code, "OK");
    equal((await remove()).code, "OK");
    deepEqual(await vdbs(), []);
    deepEqual(subvolumes(), []);
  });

  test("what driver and engine have done for a claim is found by its name; looking at it is not logged", async () => {
    const volume = createdVolume(await create());
    await call(driver.socket, "NodePublishVolume", publishRequest(volume, target()));
    const look = await call(driver.socket, "NodeGetVolumeStats", { volumeId: volume.id, volumePath: target() });
    equal(look.code, "OK");
    await call(driver.socket, "NodeUnpublishVolume", { volumeId: volume.id, targetPath: target() });
    const snapshot = createdSnapshot(await call(driver.socket, "CreateSnapshot", snapshotRequest(`of-${name}`, volume)));
    await call(driver.socket, "DeleteSnapshot", { snapshotId: snapshot });
    await call(driver.socket, "DeleteVolume", { volumeId: volume.id });

    const about = ({ log }: { readonly log: () => string }): readonly Readonly<Record<string, unknown>>[] =>
      log()
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line))
        .filter(({ delphixID }) => delphixID === volume.id);
    const isLogged = () => about(driver).length >= 5 && about(engine).length >= 8; // a line may come later than its answer
    for (let left = 100; left > 0 && !isLogged(); left -= 1) await sleep(50);
    const claim = `${claimNamespace}/orders`;
    const called = about(driver);
    deepEqual(
      called.map((line) => [line["method"], line["claim"], typeof line["job"]]),
      [
        ["CreateVolume", claim, "string"],
        ["NodePublishVolume", undefined, "undefined"], // the node knows the handle alone
        ["NodeUnpublishVolume", undefined, "undefined"],
        ["CreateSnapshot", claim, "string"],
        ["DeleteVolume", claim, "string"],
      ],
    );
    equal(called.find(({ method }) => method === "CreateSnapshot")?.["volumeSnapshot"], `${claimNamespace}/of-${name}`);
    const jobs = about(engine);
    deepEqual(
      jobs.map((line) => [line["type"], line["msg"], line["claim"], line["name"], line["snapshot"]]),
      [
        ["DB_PROVISION", undefined],
        ["DB_SNAPSHOT", undefined],
        ["SNAPSHOT_DELETE", snapshot],
        ["DB_DELETE", undefined],
      ].flatMap(([type, of]) => ["job begins", "job completed"].map((msg) => [type, msg, claim, name, of])),
    );
    const jobOf = (wanted: string) => called.find(({ method }) => method === wanted)?.["job"];
    equal(jobOf("CreateVolume"), jobs[0]?.["job"], "the driver's line leads to the engine's");
  });

  test("the flags of a mount hold on the node, not only in the driver's namespace", async () => {
    const volume = createdVolume(await create());
    const publish = (readOnly: boolean) => call(driver.socket, "NodePublishVolume", publishRequest(volume, target(), readOnly));
    equal((await publish(true)).code, "OK");
    match(mountOptions(target()) ?? "", /^ro,nosuid,nodev/u);
    await restartDriver("SIGKILL");
    equal((await publish(true)).code, "OK", "a restarted driver recognises what it mounted");
    equal((await publish(false)).code, "ALREADY_EXISTS");
    await call(driver.socket, "NodeUnpublishVolume", { volumeId: volume.id, targetPath: target() });
    await call(driver.socket, "DeleteVolume", { volumeId: volume.id });
    equal(
      execFileSync("findmnt", ["--noheadings", "--list", "--output", "TARGET"], { encoding: "utf8" }).includes("csi-test-stage"),
      false,
    );
  });

  test("two calls of one name at once, and a third: one VDB", async () => {
    const answers = await Promise.all([create(), create()]);
    const ids = [...answers, await create()].map((answer) => createdVolume(answer).id);
    equal(new Set(ids).size, 1);
    equal((await vdbs()).length, 1);
  });

  test("killed while the VDB is being made: the next driver finds it, and there is one", async () => {
    await restartEngine(["--hold-at=DB_PROVISION:cloned"]);
    const lost = create();
    await engine.logged('"msg":"stopped at a failpoint"');
    await driver.end("SIGKILL");
    equal((await lost).code, "UNAVAILABLE");
    driver = await startDriver(scratch, kubernetes);
    const waiting = await create("orders", 4);
    equal(waiting.code, "DEADLINE_EXCEEDED", "it waits for the job that is under way, and starts none");
    await restartEngine();
    const volume = createdVolume(await create());
    deepEqual(await vdbs(), [volume.id]);
    deepEqual(
      subvolumes().filter((one) => one === volume.id),
      [volume.id],
    );
  });

  test("stopped while it waits: the caller is told to come again, and the process ends by itself", async () => {
    await restartEngine(["--hold-at=DB_PROVISION:cloned"]);
    const waiting = create();
    await engine.logged('"msg":"stopped at a failpoint"');
    const from = performance.now();
    equal(await driver.end("SIGTERM"), 0);
    ok(performance.now() - from < 25_000, "within a pod's grace period");
    equal((await waiting).code, "UNAVAILABLE");
    await restartEngine();
    driver = await startDriver(scratch, kubernetes);
    createdVolume(await create());
    equal((await vdbs()).length, 1);
  });

  test("too little free space: the code for it, the bytes in words, nothing left; with enough again it succeeds", async () => {
    configureEngine(scratch, source, "100Gi");
    await engine.logged("the changed configuration is in force");
    const full = await create();
    equal(full.code, "RESOURCE_EXHAUSTED");
    match("details" in full ? full.details : "", /not enough free space in pool .* bytes/u);
    deepEqual(await vdbs(), []);
    configureEngine(scratch, source);
    await restartEngine();
    createdVolume(await create());
  });

  test("names that nobody knows: the choices are listed, and the corrected claim succeeds", async () => {
    for (const [annotation, value, words] of [
      ["engineName", "nobody", /EngineNotFound.*delphix-engine/u],
      ["sourceDBName", "nothing", /SourceNotFound.*production/u],
      ["vdbGroupName", "Nowhere", /GroupNotFound.*Untitled/u],
      ["envName", "moon", /EnvironmentNotFound.*dev-env/u],
    ] as const) {
      kubernetes.claims.set("wrong", { sourceDBName: "production", [annotation]: value });
      const answer = await create("wrong");
      equal(answer.code, "NOT_FOUND");
      match("details" in answer ? answer.details : "", words);
    }
    deepEqual(await vdbs(), []);
    kubernetes.claims.set("wrong", { sourceDBName: "production" });
    createdVolume(await create("wrong"));
  });

  test("an engine that is down is named; when it is back on another port, the call succeeds", async (t) => {
    await engine.end("SIGTERM");
    const from = performance.now();
    const down = await create();
    t.diagnostic(`named after ${((performance.now() - from) / 1000).toFixed(1)} s; 10 s are promised`);
    ok(performance.now() - from < 60_000);
    equal(down.code, "UNAVAILABLE");
    match("details" in down ? down.details : "", /DCT at https:\/\/localhost:\d+ does not answer/u);
    await restartEngine();
    createdVolume(await create());
  });

  test("before the engine has filled in the Secret, the answer says who will", async () => {
    kubernetes.secret = {};
    const early = await create();
    equal(early.code, "UNAVAILABLE");
    match(
      "details" in early ? early.details : "",
      /Secret delphix-creds in namespace delphix-storage has no DCT_URL yet: the embedded engine sets it/u,
    );
    kubernetes.secret = engine.credentials;
    createdVolume(await create());
  });

  test("as the pool is not mounted, nothing is published, and nothing is created in its place", async () => {
    const volume = createdVolume(await create());
    await engine.end("SIGTERM");
    try {
      await unmount(poolDir(scratch));
      const answer = await call(driver.socket, "NodePublishVolume", publishRequest(volume, target()));
      equal(answer.code, "UNAVAILABLE");
      match("details" in answer ? answer.details : "", /not mounted on this node/u);
      deepEqual(readdirSync(poolDir(scratch)), []);
      equal(existsSync(target()), false);
    } finally {
      await restartEngine();
    }
    equal((await call(driver.socket, "NodePublishVolume", publishRequest(volume, target()))).code, "OK");
    await call(driver.socket, "NodeUnpublishVolume", { volumeId: volume.id, targetPath: target() });
  });

  test("a snapshot holds what was there; a volume of it has that, its source's owner and no later row; both outlive each other", async () => {
    kubernetes.claims.set("owned", { sourceDBName: "production", ownershipSpec: "70:70" });
    kubernetes.claims.set("copy", {});
    const volume = createdVolume(await create("owned"));
    writeFileSync(data(volume.id, "before"), "");
    const snapshotId = createdSnapshot(await call(driver.socket, "CreateSnapshot", snapshotRequest(name, volume)));
    writeFileSync(data(volume.id, "after"), "");
    const copied = await call(driver.socket, "CreateVolume", {
      ...createRequest(`${name}-copy`, "copy"),
      volumeContentSource: { snapshot: { snapshotId } },
    });
    const copy = createdVolume(copied);
    const clone = createdVolume(
      await call(driver.socket, "CreateVolume", {
        ...createRequest(`${name}-clone`, "copy"),
        volumeContentSource: { volume: { volumeId: volume.id } },
      }),
    );
    for (const [id, later] of [
      [copy.id, false],
      [clone.id, true],
    ] as const) {
      deepEqual([existsSync(data(id, "before")), existsSync(data(id, "after"))], [true, later]);
      equal(statSync(data(id, "")).uid, 70);
    }
    const remove = (volumeId: string) => call(driver.socket, "DeleteVolume", { volumeId });
    const kept = await remove(volume.id);
    equal(kept.code, "FAILED_PRECONDITION");
    match("details" in kept ? kept.details : "", new RegExp(`delete VolumeSnapshot team/${name} first`, "u"));
    equal(existsSync(data(volume.id, "before")), true);
    equal((await call(driver.socket, "DeleteSnapshot", { snapshotId })).code, "OK");
    equal((await call(driver.socket, "DeleteSnapshot", { snapshotId })).code, "OK");
    equal((await remove(volume.id)).code, "OK");
    equal(existsSync(data(copy.id, "before")), true, "shares blocks with what is gone, not folders");
    for (const id of [copy.id, clone.id]) equal((await remove(id)).code, "OK");
  });

  test("killed while a snapshot is being taken: the next driver finds it, and there is one", async () => {
    const volume = createdVolume(await create());
    await restartEngine(["--hold-at=DB_SNAPSHOT:cloned"]);
    const take = (seconds = 60) => call(driver.socket, "CreateSnapshot", snapshotRequest(name, volume), seconds);
    const lost = take();
    await engine.logged('"msg":"stopped at a failpoint"');
    await driver.end("SIGKILL");
    equal((await lost).code, "UNAVAILABLE");
    driver = await startDriver(scratch, kubernetes);
    equal((await take(4)).code, "DEADLINE_EXCEEDED", "it waits for the job that is under way, and starts none");
    await restartEngine();
    const id = createdSnapshot(await take());
    const jobs = await engine.client.searchJobs(allOf(eq("target_id", volume.id), eq("type", "DB_SNAPSHOT")));
    equal(jobs.length, 1);
    equal(createdSnapshot(await take()), id);
    const listed = await call(driver.socket, "ListSnapshots", { sourceVolumeId: volume.id });
    equal(JSON.stringify(listed).split('"snapshotId"').length - 1, 1);
  });

  test("csi-sanity, the conformance suite of the CSI project, with its stock Go client, for all that the driver can announce", async () => {
    await restartDriver("SIGTERM", ["--attach"]);
    kubernetes.claims.set("sanity", { sourceDBName: "production" });
    const { passed, failed, output } = await runCsiSanity(scratch, driver.socket, "sanity");
    equal(failed, 0, output.slice(-4_000));
    ok(passed >= 69, `only ${passed} ran: does the driver still announce all that it can?`);
    deepEqual(
      (await engine.client.searchVdbs()).filter((vdb) => vdb.name?.startsWith("sanity")),
      [],
    );
  });

  async function restartEngine(more: readonly string[] = []): Promise<void> {
    await engine.end("SIGKILL");
    engine = await startEngine(scratch, source, more);
    kubernetes.secret = engine.credentials;
  }

  async function restartDriver(signal: NodeJS.Signals, more: readonly string[] = []): Promise<void> {
    await driver.end(signal);
    driver = await startDriver(scratch, kubernetes, { more });
  }
});
