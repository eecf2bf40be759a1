/** What goes with a deleted PostgresVDB, and what stays. */
import { deepEqual, equal } from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import {
  configMaps,
  deployments,
  findCondition,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  services,
} from "kube-runtime";
import type { FakeCluster } from "./testing/fake-cluster.ts";
import {
  applyVdb,
  deleteVdb,
  forever,
  healthy,
  isReady,
  type RunningOperator,
  readyReason,
  untilGone,
  untilVdb,
  vdbs,
} from "./testing/operator.ts";
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

  interface Phase {
    readonly name: string;
    readonly spec?: object;
    readonly play?: (cluster: FakeCluster) => void;
    readonly answer?: () => ReturnType<RunningOperator["answer"]>;
    readonly reached: (vdb: PostgresVDB) => boolean;
  }
  const failsToStart = { exitCode: 1, message: "vdb:NotADatabase: the volume is empty", finishedAt: "2026-01-01T00:00:00Z" };
  const hooks = [{ name: "mask", stage: "post-create", script: "SELECT pg_sleep(1000)" }];
  const phases: readonly Phase[] = [
    {
      name: "provisioning",
      play: (cluster) => (cluster.provision = "nothing"),
      reached: (vdb) => (vdb.status.pvcName ?? "") !== "" && vdb.status.phase === "Provisioning",
    },
    {
      name: "starting",
      play: (cluster) => (cluster.details = () => ({ ready: false })),
      reached: (vdb) => vdb.status.phase === "Deploying" && readyReason(vdb) === "Starting",
    },
    {
      name: "not-started",
      play: (cluster) => {
        cluster.container = () => ({ waiting: { reason: "CrashLoopBackOff" } });
        cluster.details = () => ({ ready: false, lastState: { terminated: failsToStart } });
      },
      reached: (vdb) => vdb.status.phase === "Error" && readyReason(vdb) === "NotADatabase",
    },
    {
      name: "refused",
      answer: () => ({ exitCode: 10, stderr: "invalid value" }),
      reached: (vdb) => readyReason(vdb) === "SettingRefused",
    },
    {
      name: "hook-runs",
      spec: { hooks },
      answer: () => ({ stdout: "running" }),
      reached: (vdb) => readyReason(vdb) === "Running",
    },
    { name: "stopped", spec: { enabled: false }, reached: (vdb) => vdb.status.phase === "Stopped" },
  ];
  for (const { name, spec, play, answer, reached } of phases)
    test(`deleted while it is ${name}, it goes within seconds, and nothing is left`, async () => {
      const cluster = await place(name);
      play?.(cluster);
      if (answer !== undefined)
        stage.operator.answer = ({ command }) => (command[3] === "prepare" && name === "hook-runs" ? healthy() : answer());
      await applyVdb(stage.client, name, "orders", spec);
      await untilVdb(stage.client, name, "orders", reached);
      await deleteVdb(stage.client, name, "orders");
      const left = await Promise.all(
        [deployments, services, pods, persistentVolumeClaims].map(
          async (resource: Resource) => (await stage.client.list(resource, { namespace: name }, forever)).items.length,
        ),
      );
      deepEqual(left, [0, 0, 0, 0]);
    });

  test("what keeps a deletion is named within seconds: a finalizer of the pod, then a pod that uses the claim", async () => {
    const { status } = await readyDatabase("blocked");
    const [pod] = (await stage.client.list(pods, { namespace: "blocked" }, forever)).items;
    const podKey = { namespace: "blocked", name: pod?.metadata.name ?? "" };
    await stage.client.patch(pods, podKey, { metadata: { finalizers: ["example.com/backup"] } }, forever);
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: status.pvcName ?? "" } }];
    const theirs = {
      metadata: { namespace: "blocked", name: "theirs" },
      spec: { containers: [{ name: "c", image: "i" }], volumes },
    };
    await stage.client.create(pods, theirs, forever);
    await stage.client.delete(vdbs, { namespace: "blocked", name: "orders" }, forever);
    const saysSo = async (words: RegExp): Promise<void> =>
      void (await untilVdb(stage.client, "blocked", "orders", (vdb) =>
        words.test(findCondition(vdb.status.conditions, "Ready")?.message ?? ""),
      ));
    await saysSo(/PostgreSQL shuts down in pod .*: finalizer example\.com\/backup of the pod keeps it/u);
    await stage.client.patch(pods, podKey, { metadata: { finalizers: null } }, forever);
    await saysSo(/Kubernetes deletes the claim .*: pod theirs still uses it; delete the pod/u);
    await stage.client.delete(pods, { namespace: "blocked", name: "theirs" }, forever, { gracePeriodSeconds: 0 });
    await untilGone(stage.client, "blocked", "orders");
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
