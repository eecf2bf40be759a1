/** Where the data of a PostgresVDB comes from, and what becomes of it when that is wrong or away. */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { before, describe, test } from "node:test";
import { defineResource, findCondition, type KubeObject, persistentVolumeClaims } from "kube-runtime";
import { applyVdb, forever, healthy, isReady, readyReason, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const resourceQuotas = defineResource<KubeObject & { spec: object; status?: object }>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
});
const dctSource = (reference: string) => ({ source: { type: "dct-source", reference } });
const hook = (script: string) => ({ hooks: [{ name: "mask", stage: "post-create", script }] });

describe("the source of a PostgresVDB", { timeout: 480_000 }, () => {
  const stage = setStage("life");
  const { dct, place, readyDatabase } = stage;

  before(async () => {
    await readyDatabase("life");
  });

  test("a source that is not there is named with the choices; when it appears, the database comes up", async () => {
    await place("source");
    await applyVdb(stage.client, "source", "orders", { source: { type: "dct-source", reference: "delphix-engine:absent" } });
    const vdb = await untilVdb(stage.client, "source", "orders", (one) => readyReason(one) === "SourceNotFound");
    equal(vdb.status.phase, "Error");
    match(vdb.status.lastError ?? "", /absent.*production/u);
    dct.sources.add("absent");
    await untilVdb(stage.client, "source", "orders", isReady);
  });

  test("a VDB is a source as soon as its gate is open: a copy is no way around its hooks", async () => {
    await place("copied");
    stage.operator.answer = ({ command, stdin }) =>
      command[3] === "hook" ? { stdout: stdin === "wrong" ? "exit 3\nno such table" : "exit 0" } : healthy();
    await applyVdb(stage.client, "copied", "masked", hook("wrong"));
    const first = await untilVdb(stage.client, "copied", "masked", (vdb) => readyReason(vdb) === "HookFailed");
    dct.vdbs.set("dlpx-masked", first.status.delphixID ?? "");
    await applyVdb(stage.client, "copied", "copy", dctSource("delphix-engine:dlpx-masked"));
    const shut = await untilVdb(stage.client, "copied", "copy", (vdb) => readyReason(vdb) === "SourceNotReady");
    match(shut.status.lastError ?? "", /the gate of VDB dlpx-masked is still shut/u);
    await applyVdb(stage.client, "copied", "masked", hook("right"));
    const copy = await untilVdb(stage.client, "copied", "copy", isReady, 20);
    equal(copy.status.source?.name, "dlpx-masked");
    stage.operator.answer = () => healthy();
  });

  test("a source that was wrong is corrected: Ready, by the new labels, and nothing of the wrong try is left", async () => {
    await place("corrected");
    await applyVdb(stage.client, "corrected", "orders", dctSource("no-engine:no-source"));
    await untilVdb(stage.client, "corrected", "orders", (one) => readyReason(one) === "EngineNotFound");
    await applyVdb(stage.client, "corrected", "orders", dctSource("delphix-engine:no-source"));
    await untilVdb(stage.client, "corrected", "orders", (one) => readyReason(one) === "SourceNotFound");
    await applyVdb(stage.client, "corrected", "orders", dctSource("delphix-engine:production"));
    const vdb = await untilVdb(stage.client, "corrected", "orders", isReady);
    equal(vdb.status.source?.name, "production");
    equal(vdb.metadata.labels?.["sourceDBName"], "production");
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "corrected" }, forever)).items.length, 1);
    await rejects(
      applyVdb(stage.client, "corrected", "orders", dctSource("delphix-engine:other")),
      /immutable once the data exists/u,
    );
  });

  test("a claim that holds no data yet is made anew when what it is made from is corrected", async () => {
    const cluster = await place("pending");
    cluster.provision = "nothing"; // as for a class that is not there
    dct.sources.add("other");
    await applyVdb(stage.client, "pending", "orders", { storageClassName: "absent" });
    const claim = async () => (await stage.client.list(persistentVolumeClaims, { namespace: "pending" }, forever)).items[0];
    const first = await until("a claim", claim);
    await applyVdb(stage.client, "pending", "orders", dctSource("delphix-engine:other"));
    const second = await until("another claim", async () => {
      const found = await claim();
      return found === undefined || found.metadata.uid === first.metadata.uid ? undefined : found;
    });
    equal(second.spec.storageClassName, "de-fs-storage");
    equal(second.metadata.annotations?.["sourceDBName"], "other");
    cluster.provision = "bind";
    const vdb = await untilVdb(stage.client, "pending", "orders", isReady);
    equal(vdb.status.source?.name, "other");
    equal(vdb.metadata.labels?.["sourceDBName"], "other");
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "pending" }, forever)).items.length, 1);
    deepEqual([...cluster.provisioned.values()], [1]);
  });

  test("a claim that a quota refuses is named; without the quota the database comes up", async () => {
    await place("quota");
    const [hard, used] = [{ persistentvolumeclaims: "1" }, { persistentvolumeclaims: "1" }]; // nobody counts here
    await stage.client.create(resourceQuotas, { metadata: { name: "claims", namespace: "quota" }, spec: { hard } }, forever);
    await stage.client.patchStatus(resourceQuotas, { namespace: "quota", name: "claims" }, { status: { hard, used } }, forever);
    await new Promise((resolve) => setTimeout(resolve, 500)); // until admission knows of it
    await applyVdb(stage.client, "quota", "orders");
    const vdb = await untilVdb(stage.client, "quota", "orders", (one) => readyReason(one) === "ProvisioningFailed");
    equal(vdb.status.phase, "Error");
    match(vdb.status.lastError ?? "", /refuses the claim orders-\w+: .*quota/u);
    await stage.client.delete(resourceQuotas, { namespace: "quota", name: "claims" }, forever);
    await untilVdb(stage.client, "quota", "orders", isReady);
  });

  test("the snapshot that was taken is told, not the one that was the newest before", async () => {
    await place("origin");
    dct.takenAt = "2025-12-31T23:00:00Z";
    await applyVdb(stage.client, "origin", "orders");
    const vdb = await untilVdb(stage.client, "origin", "orders", isReady);
    dct.takenAt = "2026-01-01T00:00:00Z";
    equal(vdb.status.dataTimestamp, "2025-12-31T23:00:00Z");
    equal(vdb.status.source?.snapshotId, "1-APPDATA_SNAPSHOT-production-1");
  });

  test("labels that somebody took away are put back; a claim that is being deleted is told of while the pod keeps it", async () => {
    const ready = await readyDatabase("claim");
    const key = { namespace: "claim", name: "orders" };
    await stage.client.patch(vdbs, key, { metadata: { labels: { engineName: null, sourceRef: "wrong" } } }, forever);
    const again = await untilVdb(
      stage.client,
      "claim",
      "orders",
      ({ metadata }) => metadata.labels?.["engineName"] !== undefined,
    );
    deepEqual(again.metadata.labels, ready.metadata.labels);
    await stage.client.delete(persistentVolumeClaims, { namespace: "claim", name: ready.status.pvcName ?? "" }, forever);
    const warned = await untilVdb(stage.client, "claim", "orders", ({ status }) =>
      /has deleted the claim .* and its data goes/u.test(findCondition(status.conditions, "Provisioned")?.message ?? ""),
    );
    ok(isReady(warned), "it serves its clients as long as it has its data");
  });

  test("a DCT that is down is named; when it is back, the database comes up; the others run on", async () => {
    await place("down");
    dct.up = false;
    await applyVdb(stage.client, "down", "orders");
    const vdb = await untilVdb(stage.client, "down", "orders", (one) => readyReason(one) === "DctUnreachable");
    notEqual(vdb.status.phase, "Ready");
    ok(isReady(await stage.client.get(vdbs, { namespace: "life", name: "orders" }, forever)));
    dct.up = true;
    await untilVdb(stage.client, "down", "orders", isReady);
  });
});
