/** What goes with a deleted PostgresVDB, and what stays. */
import { deepEqual, equal } from "node:assert/strict";
import { before, describe, test } from "node:test";
import { configMaps, deployments, persistentVolumeClaims, persistentVolumes, pods, services } from "kube-runtime";
import { applyVdb, deleteVdb, forever, isReady, readyReason, untilGone, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";

describe("a PostgresVDB that is deleted", { timeout: 480_000 }, () => {
  const stage = setStage("life");
  const { dct, place, readyDatabase } = stage;

  before(async () => {
    await readyDatabase("life");
  });

  test("deleted, everything goes, volume included", async () => {
    await deleteVdb(stage.client, "life", "orders");
    const left = await Promise.all([
      stage.client.list(deployments, { namespace: "life" }, forever),
      stage.client.list(services, { namespace: "life" }, forever),
      stage.client.list(pods, { namespace: "life" }, forever),
      stage.client.list(persistentVolumeClaims, { namespace: "life" }, forever),
      stage.client.list(configMaps, { namespace: "life" }, forever), // nothing collects garbage here
    ]);
    deepEqual(
      left.map(({ items }) => items.length),
      [0, 0, 0, 0, 0],
    );
    const volumes = (await stage.client.list(persistentVolumes, {}, forever)).items;
    equal(volumes.filter(({ spec }) => spec.claimRef?.namespace === "life").length, 0);
  });

  test("deletion works when nothing was made, and DCT was never there", async () => {
    await place("never");
    dct.up = false;
    await applyVdb(stage.client, "never", "orders");
    await untilVdb(stage.client, "never", "orders", (one) => readyReason(one) === "DctUnreachable");
    await deleteVdb(stage.client, "never", "orders");
    dct.up = true;
  });

  test("deletion finds what has lost the operator's labels", async () => {
    const { status } = await readyDatabase("unlabelled");
    const key = { namespace: "unlabelled", name: "orders" };
    await stage.operator[Symbol.asyncDispose](); // it would put them back
    const unlabelled = { metadata: { labels: { "app.kubernetes.io/managed-by": null } } };
    await stage.client.patch(deployments, key, unlabelled, forever);
    await stage.client.patch(services, key, unlabelled, forever);
    await stage.client.patch(configMaps, { namespace: "unlabelled", name: "orders-postgres-config" }, unlabelled, forever);
    await stage.client.patch(
      persistentVolumeClaims,
      { namespace: "unlabelled", name: status.pvcName ?? "" },
      unlabelled,
      forever,
    );
    await stage.client.delete(vdbs, key, forever);
    stage.restartOperator();
    await untilGone(stage.client, "unlabelled", "orders");
    const claims = await stage.client.list(persistentVolumeClaims, { namespace: "unlabelled" }, forever);
    equal(claims.items.length, 0);
  });

  test("volumes whose class says Retain stay, and do not keep the object", async () => {
    const cluster = await place("kept");
    cluster.reclaim = "Retain";
    await applyVdb(stage.client, "kept", "orders");
    await untilVdb(stage.client, "kept", "orders", isReady);
    await deleteVdb(stage.client, "kept", "orders");
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "kept" }, forever)).items.length, 0);
    const volumes = (await stage.client.list(persistentVolumes, {}, forever)).items;
    equal(volumes.filter(({ spec }) => spec.claimRef?.namespace === "kept").length, 1);
  });

  test("with deletionPolicy Retain the claim stays and belongs to nobody", async () => {
    await readyDatabase("retain", { deletionPolicy: "Retain" });
    await deleteVdb(stage.client, "retain", "orders");
    const [claim] = (await stage.client.list(persistentVolumeClaims, { namespace: "retain" }, forever)).items;
    equal(claim?.metadata.ownerReferences, undefined);
    equal(claim?.metadata.deletionTimestamp, undefined);
  });
});
