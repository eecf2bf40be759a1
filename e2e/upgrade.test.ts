/**
 * From the release before to this one and back, on a cluster of its own, with a database running through it. Full tier: minutes.
 *
 * The release before: no version is tagged yet, so it is the last state of the main branch before this landing's work on databases,
 * engine and charts began, as git has it, with the images that it builds itself. Without git's history there is nothing to go from.
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, installCharts, items, type Kubectl, kubectlFor, run, text } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { applyVdb, deleteSnapshots, deleteVdb, makePasswordSecret, runAction, sqlInPod, waitForPhase } from "./vdb.ts";

const releaseBefore = "4e1bf91";

const clone = join(import.meta.dirname, "..");
const hasHistory = spawnSync("git", ["-C", clone, "cat-file", "-e", `${releaseBefore}^{commit}`]).status === 0;
const skip = isFullTier ? (hasHistory ? false : `git does not have ${releaseBefore} here`) : true;
// scripts/test knows this name, and ends the cluster where this file could not.
const name = `${process.env["CLUSTER_NAME"] || "delphix"}-2`;
const kubeconfig = join(clone, `.local/${name}.kubeconfig`);
const env = { CLUSTER_NAME: name, CLUSTER_KUBECONFIG: kubeconfig, CLUSTER: undefined };
const vdb = { name: "orders", namespace: "through" };
const releases = [
  ["delphix-operator", "pg-operator"],
  ["delphix-storage", "delphix-storage"],
] as const;
const crdFolder = join(clone, "charts/delphix-operator/templates/crds");

const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
  const from = performance.now();
  await work();
  console.log(`${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
};

describe("install, upgrade, roll back, uninstall", { timeout: 1_800_000, skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "release-before-"));
  const kubectl: Kubectl = kubectlFor(kubeconfig, name);
  const rows = async (): Promise<string> => await sqlInPod(kubectl, vdb, "SELECT string_agg(n::text, ',' ORDER BY n) FROM mine");
  /** The database's pods, each container with its starts: what an upgrade must not touch. */
  const pods = async (): Promise<readonly string[]> =>
    (await kubectl.list("pods", ["-n", vdb.namespace, "-l", `app.kubernetes.io/instance=${vdb.name}`])).map(
      (pod) =>
        `${text(pod, "metadata", "uid")} ${items(pod, "status", "containerStatuses")
          .map((one) => text(one, "restartCount"))
          .join()}`,
    );
  const operatorImage = async (): Promise<string> =>
    await kubectl.run([
      "get",
      "deploy",
      "delphix-operator",
      "-n",
      "pg-operator",
      "-o",
      "jsonpath={.spec.template.spec.containers[0].image}",
    ]);
  const state: { pods: readonly string[]; imageBefore: string; clusterObjects: readonly string[] } = {
    pods: [],
    imageBefore: "",
    clusterObjects: [],
  };
  const clusterObjects = async (): Promise<readonly string[]> => {
    const kinds =
      "clusterroles,clusterrolebindings,csidrivers,storageclasses,validatingadmissionpolicies,validatingadmissionpolicybindings,pv,volumesnapshotcontents";
    return (await kubectl.run(["get", kinds, "-o", "name"])).split("\n").filter((one) => one !== "");
  };

  before(async () => {
    await run("cluster/up", [], { cwd: clone, env });
    state.clusterObjects = (
      await kubectl.run([
        "get",
        "clusterroles,clusterrolebindings,csidrivers,storageclasses,validatingadmissionpolicies,pv",
        "-o",
        "name",
      ])
    ).split("\n");
    mkdirSync(join(folder, "clone"));
    await run("sh", ["-c", `git archive ${releaseBefore} | tar -x -C ${folder}/clone`], { cwd: clone });
    const cwd = join(folder, "clone");
    await timed("build of the release before", async () => {
      await run("scripts/setup", [], { cwd, env });
      await run("cluster/load-images", [], { cwd, env });
    });
    const path = `${cwd}/node_modules/.bin:${cwd}/.local/bin:${process.env["PATH"] ?? ""}`;
    await timed(
      "install of the release before",
      async () => await run("node", ["e2e/install.ts"], { cwd, env: { ...env, PATH: path } }),
    );
    await run("cluster/load-images", [], { cwd: clone, env });
    await ensureNamespace(kubectl, vdb.namespace);
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    await sqlInPod(kubectl, vdb, "CREATE TABLE mine AS SELECT 1 AS n");
    state.pods = await pods();
    state.imageBefore = await operatorImage();
  });
  after(async () => {
    await run("cluster/down", [], { cwd: clone, env });
    rmSync(folder, { recursive: true, force: true });
  });

  test("definitions applied by hand stop a plain helm upgrade, and --force-conflicts is the way out that the docs name", async () => {
    await kubectl.run(["apply", "--server-side", "--force-conflicts", "-f", crdFolder]);
    const older = join(folder, "clone/charts/delphix-operator");
    await rejects(
      kubectl.helm(["upgrade", "delphix-operator", older, "-n", "pg-operator", "--reuse-values"]),
      /conflicts? with "kubectl"/u,
    );
  });

  test("the upgrade, with these definitions: no pod of a database restarts, and the new operator works on it", async () => {
    await timed("upgrade", async () => await installCharts(kubectl));
    ok((await operatorImage()) !== state.imageBefore, "it is another operator");
    const ready = await waitForPhase(kubectl, vdb, "Ready");
    equal(text(ready, "status", "observedGeneration"), text(ready, "metadata", "generation"));
    const end = await runAction(kubectl, vdb, { kind: "VDBSnapshot", name: "after-upgrade", spec: {} });
    equal(text(end, "status", "phase"), "Completed", text(end, "status"));
    deepEqual(await pods(), state.pods);
    equal(await rows(), "1");
    match(await kubectl.run(["explain", "postgresvdb.spec.schedules"]), /DESCRIPTION/u, "the definitions are the new ones");
  });

  test("the rollback of the operator: the older one works on the same database", async () => {
    await timed("rollback of the operator", async () => {
      await kubectl.helm([
        "rollback",
        "delphix-operator",
        "1",
        "-n",
        "pg-operator",
        "--wait",
        "--timeout",
        "5m",
        "--force-conflicts",
      ]);
    });
    equal(await operatorImage(), state.imageBefore);
    const end = await runAction(kubectl, vdb, {
      kind: "PostgresTask",
      name: "after-rollback",
      spec: taskSpec("INSERT INTO mine VALUES (2)"),
    });
    equal(text(end, "status", "phase"), "Completed", text(end, "status"));
    deepEqual(await pods(), state.pods);
    equal(await rows(), "1,2");
  });

  test("the rollback of the storage: the older engine refuses the converted catalogue in words, and databases run on", async () => {
    await rejects(kubectl.helm(["rollback", "delphix-storage", "1", "-n", "delphix-storage", "--wait", "--timeout", "40s"]));
    await eventually("the engine says why", 60, async () => {
      const log = await kubectl.run(["logs", "-n", "delphix-storage", "delphix-engine-0", "--tail=20"]);
      return /schema version \d+, and this engine knows \d+: run a newer engine/u.test(log) ? true : undefined;
    });
    equal(await rows(), "1,2");
    deepEqual(await pods(), state.pods);
  });

  test("the upgrade again brings the engine back", async () => {
    await timed("upgrade again", async () => await installCharts(kubectl));
    const end = await runAction(kubectl, vdb, { kind: "VDBSnapshot", name: "after-all", spec: {} });
    equal(text(end, "status", "phase"), "Completed", text(end, "status"));
    deepEqual(await pods(), state.pods);
    equal(await rows(), "1,2");
  });

  test("the uninstall keeps the definitions, and leaves nothing else of the cluster's", async () => {
    for (const action of ["after-upgrade", "after-all"])
      await kubectl.run(["delete", "vdbsnapshot", action, "-n", vdb.namespace]);
    await deleteSnapshots(kubectl, vdb.namespace);
    await deleteVdb(kubectl, vdb);
    await kubectl.run(["delete", "namespace", vdb.namespace, "--timeout=120s"]);
    for (const [release, namespace] of releases.toReversed())
      await kubectl.helm(["uninstall", release, "-n", namespace, "--wait", "--timeout", "5m"]);
    const earlier = new Set(state.clusterObjects);
    deepEqual(
      (await clusterObjects()).filter((one) => !earlier.has(one)),
      [],
    );
    const kinds = "all,secrets,configmaps,roles,rolebindings,networkpolicies";
    // Helm waits for a Deployment, not for the end of its pods.
    for (const [, namespace] of releases)
      await eventually(`nothing is left in ${namespace}`, 120, async () => {
        const left = ours(await kubectl.run(["get", kinds, "-n", namespace, "-o", "name"]));
        equal(left, namespace === "delphix-storage" ? "secret/production-link" : "");
        return true;
      });
    equal((await kubectl.run(["get", "crd", "-o", "name"])).split("\n").filter((one) => one.endsWith(".delphix.com")).length, 9);
  });
});

const taskSpec = (content: string) => ({ targetRef: { name: vdb.name }, vdbRef: undefined, content });

/** Without what Kubernetes and its service accounts put into every namespace, and the Leases' events. */
const ours = (names: string): string =>
  names
    .split("\n")
    .filter((one) => one !== "" && one !== "configmap/kube-root-ca.crt")
    .join("\n");
