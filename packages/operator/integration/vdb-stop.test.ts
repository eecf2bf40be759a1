/** A PostgresVDB that is stopped, evicted or without room, and what DCT is told of it. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  defineResource,
  events,
  findCondition,
  isTrue,
  type KubeObject,
  type Pod,
  persistentVolumeClaims,
  pods,
} from "kube-runtime";
import { applyVdb, deleteVdb, forever, healthy, isReady, readyReason, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const volumeAttachments = defineResource<KubeObject & { spec: object }>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  namespaced: false,
});

describe("a PostgresVDB that stops", { timeout: 480_000 }, () => {
  const stage = setStage("life");
  const { dct, place, readyDatabase } = stage;

  before(async () => {
    await readyDatabase("life");
  });

  test("disabled, its pod goes and its claim stays; enabled, it is Ready again; DCT knows of both", async () => {
    const key = { namespace: "life", name: "orders" };
    const { delphixID = "" } = (await stage.client.get(vdbs, key, forever)).status;
    await stage.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    const stopped = await untilVdb(stage.client, "life", "orders", ({ status }) => status.phase === "Stopped");
    equal((await stage.client.list(pods, { namespace: "life" }, forever)).items.length, 0);
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "life" }, forever)).items.length, 1);
    ok(isTrue(stopped.status.conditions, "Provisioned"));
    ok(!dct.isEnabled(delphixID), "disabled in DCT once the pod is gone");
    await stage.client.patch(vdbs, key, { spec: { enabled: true } }, forever);
    await untilVdb(stage.client, "life", "orders", isReady);
    deepEqual(dct.asked, [`disable ${delphixID}`, `enable ${delphixID}`]);
    ok(dct.isEnabled(delphixID));
  });

  test("with DCT down it says so when it stops and when it starts, and goes on when DCT is back", async () => {
    const key = { namespace: "life", name: "orders" };
    const enable = async (enabled: boolean) => await stage.client.patch(vdbs, key, { spec: { enabled } }, forever);
    dct.up = false;
    await enable(false);
    const stopping = await untilVdb(stage.client, "life", "orders", (one) => readyReason(one) === "DctUnreachable");
    notEqual(stopping.status.phase, "Stopped");
    equal((await stage.client.list(pods, { namespace: "life" }, forever)).items.length, 0, "the pod is gone all the same");
    dct.up = true;
    await untilVdb(stage.client, "life", "orders", ({ status }) => status.phase === "Stopped");
    dct.up = false;
    await enable(true);
    await untilVdb(stage.client, "life", "orders", (one) => readyReason(one) === "DctUnreachable");
    equal((await stage.client.list(pods, { namespace: "life" }, forever)).items.length, 0);
    dct.up = true;
    await untilVdb(stage.client, "life", "orders", isReady);
  });

  test("where Kubernetes attaches the volume, DCT is the driver's: it is Stopped when the volume is detached", async () => {
    const cluster = await place("attached");
    cluster.driver = "attaching.csi.example.com"; // of which nobody says that it need not be attached
    await applyVdb(stage.client, "attached", "orders");
    const { delphixVDB = "", delphixID = "" } = (await untilVdb(stage.client, "attached", "orders", isReady)).status;
    const spec = { attacher: cluster.driver, nodeName: "node", source: { persistentVolumeName: delphixVDB } };
    await stage.client.create(volumeAttachments, { metadata: { name: "attachment" }, spec }, forever);
    const key = { namespace: "attached", name: "orders" };
    await stage.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    await untilVdb(stage.client, "attached", "orders", ({ status }) =>
      /Kubernetes detaches the volume/u.test(findCondition(status.conditions, "Deployed")?.message ?? ""),
    );
    await stage.client.delete(volumeAttachments, { name: "attachment" }, forever);
    await untilVdb(stage.client, "attached", "orders", ({ status }) => status.phase === "Stopped");
    await stage.client.patch(vdbs, key, { spec: { enabled: true } }, forever);
    await untilVdb(stage.client, "attached", "orders", isReady);
    deepEqual(
      dct.asked.filter((call) => call.endsWith(` ${delphixID}`)),
      [],
      "the operator asks DCT for nothing",
    );
  });

  test("disabled while its container crashes again and again, it is Stopped; enabled when it can start, it is Ready", async () => {
    const cluster = await place("crashing");
    const terminated = { exitCode: 1, message: "vdb:NotADatabase: the volume is empty", finishedAt: "2026-01-01T00:00:00Z" };
    cluster.container = () => ({ waiting: { reason: "CrashLoopBackOff" } });
    cluster.details = () => ({ ready: false, lastState: { terminated } });
    await applyVdb(stage.client, "crashing", "orders");
    await untilVdb(stage.client, "crashing", "orders", ({ status }) => status.phase === "Error");
    const key = { namespace: "crashing", name: "orders" };
    await stage.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    await untilVdb(stage.client, "crashing", "orders", ({ status }) => status.phase === "Stopped");
    equal((await stage.client.list(pods, { namespace: "crashing" }, forever)).items.length, 0);
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "crashing" }, forever)).items.length, 1);
    cluster.container = () => ({ running: { startedAt: new Date().toISOString() } });
    cluster.details = () => ({ ready: true });
    await stage.client.patch(vdbs, key, { spec: { enabled: true } }, forever);
    await untilVdb(stage.client, "crashing", "orders", isReady);
  });

  test("an evicted pod, which stays as an object, does not keep it from being Stopped or deleted", async () => {
    await readyDatabase("evicted");
    const [pod] = (await stage.client.list(pods, { namespace: "evicted" }, forever)).items;
    const evicted = { namespace: "evicted", name: pod?.metadata.name ?? "" };
    await stage.client.patchStatus(pods, evicted, { status: { phase: "Failed", reason: "Evicted" } }, forever);
    await until("another pod", async () =>
      (await stage.client.list(pods, { namespace: "evicted" }, forever)).items.length === 2 ? true : undefined,
    );
    await untilVdb(stage.client, "evicted", "orders", isReady);
    const key = { namespace: "evicted", name: "orders" };
    await stage.client.patch(vdbs, key, { spec: { enabled: false } }, forever);
    await untilVdb(stage.client, "evicted", "orders", ({ status }) => status.phase === "Stopped");
    ok(await stage.client.find(pods, evicted, forever), "it is still there");
    await deleteVdb(stage.client, "evicted", "orders");
  });

  test("a storage that fills up is told on every database of its engine, with an event for each change; it takes no part in Ready", async () => {
    await place("full");
    stage.operator.answer = () => healthy();
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
        stage.client,
        "full",
        name,
        ({ status }) => findCondition(status.conditions, "StorageHealthy")?.reason === reason,
      );
    for (const name of ["runs", "stopped"]) await applyVdb(stage.client, "full", name);
    for (const name of ["runs", "stopped"]) {
      const vdb = await untilVdb(stage.client, "full", name, isReady);
      equal(findCondition(vdb.status.conditions, "StorageHealthy"), undefined, "without figures nothing is said");
    }
    await applyVdb(stage.client, "full", "stopped", { enabled: false });
    await untilVdb(stage.client, "full", "stopped", ({ status }) => status.phase === "Stopped");
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
    const { items } = await stage.client.list(events, { namespace: "full", fieldSelector: "regarding.name=runs" }, forever);
    deepEqual(
      items
        .map(({ reason }) => reason)
        .filter((reason) => /^Pool|^RoomLeft$/u.test(reason))
        .toSorted(),
      ["PoolFull", "PoolNearlyFull", "RoomLeft"],
    );
    dct.storage = {};
    await untilVdb(
      stage.client,
      "full",
      "runs",
      ({ status }) => findCondition(status.conditions, "StorageHealthy") === undefined,
    );
  });

  test("an image that cannot be pulled is named; a corrected one is enough", async () => {
    const cluster = await place("image");
    cluster.container = (pod) =>
      pod.spec.containers[0]?.image === "127.0.0.1:1/absent:1"
        ? { waiting: { reason: "ErrImagePull", message: "connect: connection refused" } }
        : { running: {} };
    await applyVdb(stage.client, "image", "orders", { image: "127.0.0.1:1/absent:1" });
    const vdb = await untilVdb(stage.client, "image", "orders", (one) => readyReason(one) === "ImagePullFailed");
    match(vdb.status.lastError ?? "", /127\.0\.0\.1:1\/absent:1.*connection refused/u);
    await applyVdb(stage.client, "image", "orders", { image: "postgres:16.2" });
    await untilVdb(stage.client, "image", "orders", isReady);
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
    const terminated = { exitCode: 1, message: "vdb:NotADatabase: the volume has no folder data", finishedAt };
    cluster.details = () => ({ ready: false, lastState: { terminated } });
    cluster.container = (pod) => {
      if (age(pod) < 300) return { terminated };
      if (age(pod) < 600) return { running: { startedAt: new Date().toISOString() } };
      return { waiting: { reason: "CrashLoopBackOff" } };
    };
    await applyVdb(stage.client, "empty", "orders");
    const vdb = await untilVdb(stage.client, "empty", "orders", (one) => readyReason(one) === "NotADatabase");
    match(vdb.status.lastError ?? "", /no folder data/u);
    const seen = new Set<string>();
    await until("two pods later", async () => {
      const { status } = await stage.client.get(vdbs, { namespace: "empty", name: "orders" }, forever);
      seen.add(`${status.phase} ${status.lastError ?? ""}`);
      return firstSeen.size > 2 ? true : undefined;
    });
    deepEqual([...seen], ["Error the volume has no folder data"]);
    cluster.details = () => ({});
    cluster.container = () => ({ running: { startedAt: new Date().toISOString() } });
    await untilVdb(stage.client, "empty", "orders", isReady, 30);
  });
});
