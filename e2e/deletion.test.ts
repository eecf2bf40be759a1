/** What a deletion waits for and what it leaves, on a real cluster: blockers by name, and a namespace that goes while DCT is away. */
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, storageNamespace, testCluster, text, withEngineAccess } from "@vdb/cluster";
import { bareDct } from "./driver-path/bare-dct.ts";
import {
  accountsChecksum,
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  sqlInPod,
  type VdbOptions,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();

async function scaleEngine(replicas: number): Promise<void> {
  await kubectl.run(["scale", "statefulset/delphix-engine", "-n", storageNamespace, `--replicas=${replicas}`]);
  const command = ["rollout", "status", "statefulset/delphix-engine", "-n", storageNamespace, "--timeout=180s"];
  if (replicas > 0) await kubectl.run(command);
  else await kubectl.run(["wait", "pod/delphix-engine-0", "-n", storageNamespace, "--for=delete", "--timeout=120s"]);
}

/** Why it is not gone yet. */
async function says({ name, namespace }: VdbOptions, words: RegExp): Promise<void> {
  await eventually(`it says ${String(words)}`, 60, async () => {
    match(condition((await kubectl.get("postgresvdb", name, namespace)) ?? {}, "Ready")?.message ?? "", words);
    return true;
  });
}

/** The volumes of a namespace, by name. */
async function volumesOf(namespace: string): Promise<readonly string[]> {
  const volumes = await kubectl.list("persistentvolumes", []);
  return volumes
    .filter((one) => text(one, "spec", "claimRef", "namespace") === namespace)
    .map((one) => text(one, "metadata", "name"));
}

describe("a deletion", { timeout: 600_000 }, () => {
  const gone = { name: "orders", namespace: "deleted-whole" };
  const blocked = { name: "blocked", namespace: "pg-operator" };
  before(async () => {
    await kubectl.run(["create", "namespace", gone.namespace]);
    for (const vdb of [gone, blocked]) {
      await makePasswordSecret(kubectl, vdb);
      await applyVdb(kubectl, vdb);
    }
    for (const vdb of [gone, blocked]) await waitForPhase(kubectl, vdb, "Ready");
  });
  after(async () => {
    await scaleEngine(1);
    await kubectl.run(["delete", "pod", "reader", "-n", blocked.namespace, "--ignore-not-found", "--timeout=120s"]);
    await deleteVdb(kubectl, blocked);
    await kubectl.run(["delete", "namespace", gone.namespace, "--ignore-not-found", "--timeout=180s"]);
  });

  test("names a pod that uses the claim, and somebody's finalizer on it, and goes when they are gone", async () => {
    const claim = text(await kubectl.get("postgresvdb", blocked.name, blocked.namespace), "status", "pvcName");
    const image = text(
      await kubectl.get("deployment", blocked.name, blocked.namespace),
      "spec",
      "template",
      "spec",
      "containers",
      0,
      "image",
    );
    const securityContext = {
      runAsNonRoot: true,
      runAsUser: 999,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    };
    const container = {
      name: "reader",
      image,
      imagePullPolicy: "IfNotPresent",
      command: ["sleep", "3600"],
      securityContext,
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    };
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: claim } }];
    const spec = { terminationGracePeriodSeconds: 1, containers: [container], volumes };
    await kubectl.apply(
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "reader", namespace: blocked.namespace }, spec }),
    );
    await kubectl.run(["wait", "pod/reader", "-n", blocked.namespace, "--for=condition=Ready", "--timeout=120s"]);
    const mark = JSON.stringify({ metadata: { finalizers: ["kubernetes.io/pvc-protection", "example.com/backup"] } });
    await kubectl.run(["patch", "pvc", claim, "-n", blocked.namespace, "--type=merge", "-p", mark]);
    await kubectl.run(["delete", "postgresvdb", blocked.name, "-n", blocked.namespace, "--wait=false"]);
    await says(blocked, /pod reader still uses it; delete the pod/u);
    await kubectl.run(["delete", "pod", "reader", "-n", blocked.namespace, "--timeout=120s"]);
    await says(blocked, /finalizer example\.com\/backup of the claim keeps it/u);
    await kubectl.run(["patch", "pvc", claim, "-n", blocked.namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
    await kubectl.run(["wait", "postgresvdb", blocked.name, "-n", blocked.namespace, "--for=delete", "--timeout=120s"]);
  });

  test("names a lock in DCT, and ends when that is lifted; a copy of the database neither keeps it nor goes with it", async () => {
    const locked = { name: "locked", namespace: blocked.namespace };
    await makePasswordSecret(kubectl, locked);
    await applyVdb(kubectl, locked);
    const found = await waitForPhase(kubectl, locked, "Ready");
    const source = { type: "dct-source", reference: `delphix-engine:${text(found, "status", "delphixVDB")}` };
    const copy = { name: "copy", namespace: locked.namespace, spec: { source } };
    await makePasswordSecret(kubectl, copy);
    await applyVdb(kubectl, copy);
    await waitForPhase(kubectl, copy, "Ready");
    const data = await sqlInPod(kubectl, copy, accountsChecksum);
    const inDct = async (deed: "lock" | "unlock"): Promise<void> => {
      const path = `/vdbs/${text(found, "status", "delphixID")}/${deed}`;
      const answer = await withEngineAccess(kubectl, async (access) => await bareDct(access).post(path, {}));
      equal(answer.status, 200, answer.body);
    };
    await inDct("lock");
    await kubectl.run(["delete", "postgresvdb", locked.name, "-n", locked.namespace, "--wait=false"]);
    await says(locked, /the CSI driver deletes the volume \S+: .*VDB \S+ is locked by account 1: unlock it first/u);
    await inDct("unlock");
    await kubectl.run(["wait", "postgresvdb", locked.name, "-n", locked.namespace, "--for=delete", "--timeout=180s"]);
    equal(await sqlInPod(kubectl, copy, accountsChecksum), data);
    await deleteVdb(kubectl, copy);
  });

  test("of a whole namespace does not wait for DCT, and the DCT VDB goes when DCT is back", async () => {
    const vdbs = await vdbCount(kubectl);
    const volumes = await volumesOf(gone.namespace);
    equal(volumes.length, 1);
    await scaleEngine(0);
    await kubectl.run(["delete", "namespace", gone.namespace, "--timeout=180s"]);
    deepEqual(await volumesOf(gone.namespace), volumes, "the volume tells what is left to do");
    await scaleEngine(1);
    await eventually("volume and DCT VDB are gone", 240, async () => {
      deepEqual(await volumesOf(gone.namespace), []);
      equal(await vdbCount(kubectl), vdbs - 1);
      return true;
    });
  });
});
