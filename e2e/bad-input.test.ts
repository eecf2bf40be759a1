/** Bad input: the condition names the cause within 10 s, nothing half-made stays, and mending the cause is enough. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, describe, test } from "node:test";
import { eventually, inNode, type Json, postgresImage, storageNamespace, testCluster, text } from "@vdb/cluster";
import { turns } from "kube-runtime/testing";
import { poolDir, poolFileSystem } from "./pool.ts";
import {
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  setPasswordSecret,
  settledVdbCount,
  type VdbOptions,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";

/** The time users are promised is 10 s; it is measured and printed, and asserted with room for a busy machine. */
async function namedWithin(vdb: VdbOptions, reason: RegExp, message: RegExp): Promise<Json> {
  const from = performance.now();
  const found = await eventually(`${vdb.name} names ${message}`, 120, async () => {
    const object = await kubectl.get("postgresvdb", vdb.name, vdb.namespace);
    const ready = object === undefined ? undefined : condition(object, "Ready");
    if (object !== undefined && ready?.status === "False" && reason.test(ready.reason) && message.test(ready.message))
      return object;
    throw new Error(text(object, "status"));
  });
  console.log(`${vdb.name}: named after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return found;
}

const provisioned = (): Promise<number> => vdbCount(kubectl);

/** What Kubernetes holds for a VDB beside itself. */
async function madeFor({ name }: VdbOptions): Promise<string> {
  const kinds = "pvc,deployments,replicasets,pods,services,configmaps";
  return await kubectl.run(["get", kinds, "-n", namespace, "-l", `app.kubernetes.io/instance=${name}`, "-o", "name"]);
}

/** The cause is mended in the manifest: Ready without deleting it, by one claim, one DCT VDB and the labels of what it is made from. */
async function correctedIsEnough(vdb: VdbOptions, vdbsBefore: number): Promise<void> {
  await applyVdb(kubectl, { ...vdb, spec: {} });
  const ready = await waitForPhase(kubectl, vdb, "Ready");
  equal(text(ready, "metadata", "labels", "engineName"), "delphix-engine");
  equal(text(ready, "metadata", "labels", "sourceDBName"), "production");
  equal(text(ready, "status", "lastError"), "");
  const claims = await kubectl.list("pvc", ["-n", namespace, "-l", `app.kubernetes.io/instance=${vdb.name}`]);
  deepEqual(
    claims.map((claim) => text(claim, "metadata", "name")),
    [text(ready, "status", "pvcName")],
  );
  equal(await provisioned(), vdbsBefore + 1, "nothing of the wrong try is left");
}

const skip = turns("bad input", ["engine", "source", "storageClass", "image", "room", "away"], 2);

const fill = (file: string): string =>
  `sync -f ${poolDir}; fallocate -l $(df --output=avail -B1 ${poolDir} | tail -1) ${file} || :`;

describe("bad input", { timeout: 900_000 }, () => {
  const made: VdbOptions[] = [];
  const fresh = (name: string, spec: Record<string, unknown> = {}): VdbOptions => {
    const vdb = { name, namespace, spec };
    made.push(vdb);
    return vdb;
  };
  after(async () => {
    for (const vdb of made) await deleteVdb(kubectl, vdb);
  });

  test("a wrong engine name: the condition lists the engines there are, and a corrected one is enough", {
    skip: skip("engine"),
  }, async () => {
    const before = await settledVdbCount(kubectl);
    const vdb = fresh("wrong-engine", { source: { type: "dct-source", reference: "no-such-engine:production" } });
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await namedWithin(vdb, /EngineNotFound|SourceNotFound/u, /no-such-engine.*delphix-engine/su);
    equal(await madeFor(vdb), "");
    await correctedIsEnough(vdb, before);
  });

  test("a wrong dSource name: the condition lists the sources, nothing is provisioned, and a corrected one is enough", {
    skip: skip("source"),
  }, async () => {
    const before = await settledVdbCount(kubectl);
    const vdb = fresh("wrong-source", { source: { type: "dct-source", reference: "delphix-engine:no-such-source" } });
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    const object = await namedWithin(vdb, /SourceNotFound/u, /no-such-source.*production/su);
    equal(text(object, "status", "phase"), "Error");
    equal(await madeFor(vdb), "");
    equal(await provisioned(), before);
    await correctedIsEnough(vdb, before);
    const other = JSON.stringify({ spec: { source: { reference: "delphix-engine:another" } } });
    const patched = await kubectl.try(["patch", "postgresvdb", vdb.name, "-n", namespace, "--type=merge", "-p", other]);
    match(patched.stderr, /immutable once the data exists/u);
  });

  test("a StorageClass that does not exist: named, and a corrected one is enough", { skip: skip("storageClass") }, async () => {
    const before = await settledVdbCount(kubectl);
    const vdb = fresh("wrong-class", { storageClassName: "no-such-class" });
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await namedWithin(vdb, /StorageClassNotFound/u, /no-such-class/u);
    await correctedIsEnough(vdb, before);
  });

  test("a missing Secret, then a missing key, then the right one: Ready without deleting it", async () => {
    const vdb = fresh("no-secret");
    await kubectl.run(["delete", "secret", "no-secret-password", "-n", namespace, "--ignore-not-found"]); // of a run before
    await applyVdb(kubectl, vdb);
    await namedWithin(vdb, /SecretNotFound/u, /no-secret-password/u);
    await setPasswordSecret(kubectl, namespace, "no-secret-password", { pasword: "a-misspelled-key" });
    await namedWithin(vdb, /SecretKeyMissing/u, /"?password"?/u);
    await makePasswordSecret(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
  });

  test("an image that does not exist: named, and a corrected image is enough", { skip: skip("image") }, async () => {
    const vdb = fresh("no-image", { image: "127.0.0.1:1/absent:1" });
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await namedWithin(vdb, /Image/u, /127\.0\.0\.1:1\/absent:1/u);
    await applyVdb(kubectl, { ...vdb, spec: { image: postgresImage } });
    await waitForPhase(kubectl, vdb, "Ready");
  });

  test("too little free space in the pool: named with the bytes, and with enough again the VDB gets Ready", {
    skip: skip("room"),
  }, async () => {
    const before = await settledVdbCount(kubectl);
    // Twice and after a sync: what was deleted just before is given back only then, and would be room again.
    if ((await poolFileSystem()) === "btrfs") await inNode(["btrfs", "subvolume", "sync", poolDir]);
    await inNode(["sh", "-c", `${fill(`${poolDir}/.filled`)}; ${fill(`${poolDir}/.filled-again`)}`]);
    const vdb = fresh("pool-full");
    try {
      await makePasswordSecret(kubectl, vdb);
      await applyVdb(kubectl, vdb);
      await namedWithin(vdb, /StorageFull/u, /not enough free space.*bytes/u);
      // The provisioner tries again every few seconds: a try that is under way may be seen.
      await eventually("nothing half-made is left", 120, async () => ((await provisioned()) === before ? true : undefined));
    } finally {
      await inNode(["rm", "-f", `${poolDir}/.filled`, `${poolDir}/.filled-again`]);
    }
    await waitForPhase(kubectl, vdb, "Ready", 180);
    equal(await provisioned(), before + 1, "and no try has left anything");
  });

  test("an engine that is down: named, and when it is back the VDB gets Ready", { skip: skip("away") }, async () => {
    await kubectl.run(["scale", "statefulset/delphix-engine", "-n", storageNamespace, "--replicas=0"]);
    await kubectl.run(["wait", "--for=delete", "pod/delphix-engine-0", "-n", storageNamespace, "--timeout=180s"]);
    const vdb = fresh("engine-down");
    try {
      await makePasswordSecret(kubectl, vdb);
      await applyVdb(kubectl, vdb);
      const object = await namedWithin(vdb, /Dct/u, /DCT|engine/u);
      ok(object);
    } finally {
      await kubectl.run(["scale", "statefulset/delphix-engine", "-n", storageNamespace, "--replicas=1"]);
    }
    await waitForPhase(kubectl, vdb, "Ready", 180);
  });

  test("the other VDBs answered all the while, and their source is whole", async () => {
    match(await kubectl.run(["get", "postgresvdb", "no-secret", "-n", namespace, "-o", "jsonpath={.status.phase}"]), /Ready/u);
  });
});
