/** spec.expiry and spec.protected on a real API server with the chart's admission policies. */
import { equal, match, ok, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import {
  defineResource,
  events,
  findCondition,
  type KubeObject,
  namespaces,
  persistentVolumeClaims,
  timestamp,
} from "kube-runtime";
import { applyVdb, forever, isReady, newNamespace, untilGone, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const bin = join(import.meta.dirname, "../../../.local/bin");
const chart = join(import.meta.dirname, "../../../charts/delphix-operator");
const policyBindings = defineResource<KubeObject>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  namespaced: false,
});

const key = (namespace: string) => ({ namespace, name: "orders" });
const soon = (seconds: number): string => timestamp(Date.now() + seconds * 1000);

describe("expiry and protection", { timeout: 180_000 }, () => {
  const stage = setStage("kept", ["--expiry-notice=1s"]);
  const kubectl = (...args: readonly string[]): string => {
    const { stdout, stderr } = spawnSync(join(bin, "kubectl"), ["--kubeconfig", stage.kubeconfig, ...args], { encoding: "utf8" });
    return stdout + stderr;
  };

  before(async () => {
    const values = ["--set", "expiry.longest.capped=72h"];
    const rendered = spawnSync(join(bin, "helm"), ["template", "it", chart, "--show-only", "templates/policies.yaml", ...values]);
    const { status, stderr } = spawnSync(join(bin, "kubectl"), ["--kubeconfig", stage.kubeconfig, "create", "-f", "-"], {
      input: rendered.stdout,
      encoding: "utf8",
    });
    equal(status, 0, stderr);
  });

  test("a protected database, its claim and its namespace cannot be deleted, and the words say how to lift it", async () => {
    const vdb = await stage.readyDatabase("kept", { protected: true });
    await newNamespace(stage.client, "free");
    const lift =
      /PostgresVDB orders is protected.* run first: kubectl patch postgresvdb orders -n kept --type=merge -p '\{"spec":\{"protected":false\}\}'/u;
    const claim = vdb.status.pvcName ?? "";
    await until("the policy is at work", async () => {
      match(kubectl("delete", "pvc", claim, "-n", "kept", "--dry-run=server"), lift);
      return true;
    });
    match(kubectl("delete", "postgresvdb", "orders", "-n", "kept", "--wait=false"), lift);
    match(kubectl("delete", "postgresvdb", "--all", "-n", "kept", "--wait=false"), lift);
    match(kubectl("delete", "namespace", "kept", "--wait=false"), lift);
    equal(
      (await stage.client.get(persistentVolumeClaims, { namespace: "kept", name: claim }, forever)).metadata.deletionTimestamp,
      undefined,
    );
    equal((await stage.client.get(namespaces, { name: "kept" }, forever)).metadata.deletionTimestamp, undefined);
    ok(isReady(await stage.client.get(vdbs, key("kept"), forever)));
    match(kubectl("delete", "namespace", "free", "--wait=false"), /namespace "free" deleted/u);
  });

  test("protected and to be deleted by its expiry is a contradiction", async () => {
    const expiry = { after: "8h", action: "Delete" };
    await rejects(
      async () => await applyVdb(stage.client, "kept", "both", { protected: true, expiry }),
      /contradicts expiry\.action/u,
    );
  });

  test("Stop: announced, stopped with its data, and started by a renewal", async () => {
    await stage.readyDatabase("used");
    await applyVdb(stage.client, "used", "orders", { expiry: { at: soon(1), action: "Stop" } });
    const stopped = await untilVdb(stage.client, "used", "orders", ({ status }) => status.phase === "Stopped");
    equal(findCondition(stopped.status.conditions, "Expiring")?.reason, "Expired");
    equal(stopped.spec.enabled, true, "the manifest stays the user's");
    ok(stopped.status.pvcName !== undefined);
    await stage.client.patch(vdbs, key("used"), { spec: { expiry: { at: soon(3600) } } }, forever);
    const again = await untilVdb(stage.client, "used", "orders", isReady);
    equal(findCondition(again.status.conditions, "Expiring"), undefined);
    const { items } = await stage.client.list(events, { namespace: "used" }, forever);
    const told = items.map(({ reason }) => reason);
    ok(told.includes("Announced") && told.includes("Expired"), told.join());
  });

  test("Delete: announced, then the database and its data are gone", async () => {
    stage.play("used");
    await applyVdb(stage.client, "used", "orders", { expiry: { at: "2026-01-01T00:00:00Z", action: "Delete" } });
    await untilGone(stage.client, "used", "orders");
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "used" }, forever)).items.length, 0);
    const told = await until("the event", async () => {
      const { items } = await stage.client.list(events, { namespace: "used" }, forever);
      const notes = items.filter(({ reason }) => reason === "Announced").map(({ note }) => note);
      return items.some(({ reason }) => reason === "ExpiryDeleted") ? notes : undefined;
    });
    ok(
      told.some((note) => /the operator deletes it/u.test(note ?? "")),
      told.join(),
    );
  });

  test("where the chart's values cap it, a database has an expiry within the cap", async () => {
    await newNamespace(stage.client, "capped");
    const apply = async (spec: object): Promise<void> => await applyVdb(stage.client, "capped", "orders", spec);
    const words = /databases of namespace capped may exist for 72h at most: set spec\.expiry\.after/u;
    await until("the policy is at work", async () => {
      await rejects(async () => await apply({}), words);
      return true;
    });
    await rejects(async () => await apply({ expiry: { after: "73h", action: "Stop" } }), words);
    await rejects(async () => await apply({ expiry: { at: soon(3600), action: "Stop" } }), words);
    await apply({ expiry: { after: "72h", action: "Stop" } });
    await stage.client.patch(vdbs, key("capped"), { metadata: { labels: { a: "b" } } }, forever);
    await rejects(async () => await stage.client.patch(vdbs, key("capped"), { spec: { expiry: null } }, forever), words);
    await stage.client.patch(vdbs, key("capped"), { spec: { expiry: { after: "10m" } } }, forever);
  });

  test("where the cluster does not refuse the deletion, the operator deletes nothing until it may", async () => {
    const { items } = await stage.client.list(policyBindings, {}, forever);
    for (const { metadata } of items) await stage.client.delete(policyBindings, { name: metadata.name }, forever);
    await until("nothing refuses it any more", async () => {
      await stage.client.delete(vdbs, key("kept"), forever);
      return true;
    });
    const kept = await untilVdb(stage.client, "kept", "orders", ({ status }) => status.phase === "Terminating");
    match(
      findCondition(kept.status.conditions, "Ready")?.message ?? "",
      /nothing is deleted.*kubectl patch postgresvdb orders -n kept/u,
    );
    ok((await stage.podNames("kept")) !== "", "it goes on serving");
    await stage.client.patch(vdbs, key("kept"), { spec: { protected: false } }, forever);
    await untilGone(stage.client, "kept", "orders");
  });
});
