/** Databases from volumes of another CSI driver, which DCT does not know, of classes that bind on the first consumer, laid out by others. */
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  ensureNamespace,
  eventually,
  foreignDriver,
  foreignVolumes,
  installForeignDriver,
  type Json,
  productionSql,
  testCluster,
  text,
  uninstallForeignDriver,
} from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import {
  accountsChecksum,
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  settledVdbCount,
  sqlInPod,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";
import { applyWorkload, inClaim, scaleWorkload, sqlInWorkload } from "./workload.ts";

const kubectl = await testCluster();
const namespace = "foreign-volumes";
const { storageClass: storageClassName, engine: engineName, source: sourceDBName } = foreignDriver;
/** Of the foreign driver; it binds when a pod is scheduled. */
const lateClass = "foreign-late";
const annotations = { engineName, sourceDBName, envName: "dev-env", vdbGroupName: "Untitled" };
const theirs = { name: "theirs", namespace, annotations, claim: { storageClassName } };
const words = "SELECT string_agg(word, ' ' ORDER BY id) FROM words";
const write = (word: string): string => `INSERT INTO words (word) VALUES ('${word}')`;
const known = { vdbs: 0, accounts: "" };

const of = (name: string, type: string, reference: string, spec: object = {}) => ({
  name,
  namespace,
  spec: { source: { type, reference }, vdbGroupName: undefined, envName: undefined, ...spec },
});

async function apply(options: ReturnType<typeof of>): Promise<void> {
  await makePasswordSecret(kubectl, options);
  await applyVdb(kubectl, options);
}

/** The volumes of the foreign driver that are left. */
const volumesLeft = async (count: number): Promise<boolean> =>
  await eventually(`${count} volumes of the foreign driver`, 60, async () => {
    const left = await foreignVolumes(kubectl);
    if (left.length === count) return true;
    throw new Error(left.join());
  });

async function driverOf(vdb: Json): Promise<string> {
  return text(await kubectl.get("persistentvolume", text(vdb, "status", "delphixVDB")), "spec", "csi", "driver");
}

/** The second engine and driver take a minute to come and go: too long for every run. */
describe("volumes of another driver", { skip: !isFullTier, timeout: 1_800_000 }, () => {
  before(async () => {
    await installForeignDriver(kubectl);
    await ensureNamespace(kubectl, namespace);
    const late = {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: lateClass },
      provisioner: foreignDriver.name,
      volumeBindingMode: "WaitForFirstConsumer",
    };
    await kubectl.apply(JSON.stringify(late));
    known.vdbs = await settledVdbCount(kubectl);
    known.accounts = await productionSql(kubectl, accountsChecksum);
    await applyWorkload(kubectl, theirs);
    await sqlInWorkload(kubectl, theirs, `CREATE TABLE words (id serial, word text); ${write("theirs")}`);
  });
  after(async () => {
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"]);
    await volumesLeft(0);
    await kubectl.run(["delete", "storageclass", lateClass, "--ignore-not-found"]);
    await uninstallForeignDriver(kubectl);
  });

  test("pvc-clone and k8s-snapshot by another driver, on a class that binds when the database's pod is scheduled", {
    timeout: 600_000,
  }, async () => {
    const clone = of("cloned", "pvc-clone", "theirs", { storageClassName: lateClass });
    await apply(clone);
    const ready = await waitForPhase(kubectl, clone, "Ready");
    equal(await sqlInPod(kubectl, clone, words), "theirs");
    equal(await sqlInPod(kubectl, clone, accountsChecksum), known.accounts);
    equal(await driverOf(ready), foreignDriver.name);
    match(condition(ready, "SourceResolved")?.message ?? "", /claim theirs is copied as it is, crash-consistent/u);
    equal(text(await kubectl.get("pvc", text(ready, "status", "pvcName"), namespace), "spec", "storageClassName"), lateClass);

    const spec = { source: { persistentVolumeClaimName: text(ready, "status", "pvcName") } };
    const snapshot = {
      apiVersion: "snapshot.storage.k8s.io/v1",
      kind: "VolumeSnapshot",
      metadata: { name: "tuesday", namespace },
      spec,
    };
    await sqlInPod(kubectl, clone, `${write("cloned")}; CHECKPOINT`);
    await kubectl.apply(JSON.stringify(snapshot));
    await kubectl.run([
      "wait",
      "volumesnapshot/tuesday",
      "-n",
      namespace,
      "--for=jsonpath={.status.readyToUse}=true",
      "--timeout=120s",
    ]);
    await sqlInPod(kubectl, clone, write("later"));
    const restored = of("restored", "k8s-snapshot", "tuesday");
    await apply(restored);
    const came = await waitForPhase(kubectl, restored, "Ready");
    equal(await sqlInPod(kubectl, restored, words), "theirs cloned");
    equal(await driverOf(came), foreignDriver.name);

    const ours = of("wrong-class", "k8s-snapshot", "tuesday", { storageClassName: "de-fs-storage" });
    await apply(ours);
    const refused = condition(await waitForPhase(kubectl, ours, "Error"), "SourceResolved");
    equal(refused?.reason, "StorageClassNotUsable");
    match(refused?.message ?? "", /set spec\.storageClassName to one of foreign, foreign-late/u);

    await kubectl.run(["delete", "volumesnapshot", "tuesday", "-n", namespace, "--timeout=120s"]);
    for (const vdb of [ours, restored, clone]) await deleteVdb(kubectl, vdb);
    await volumesLeft(1);
    equal(await vdbCount(kubectl), known.vdbs, "the DCT that the operator knows has nothing to do with it");
    equal(await sqlInWorkload(kubectl, theirs, words), "theirs");
  });

  test("pvc-adopt of another driver's volume as others lay it out: told what is found, and adopted with the field that says it", {
    timeout: 600_000,
  }, async () => {
    await scaleWorkload(kubectl, theirs, 0);
    // Two data directories beside lost+found; the WAL of one is in the volume, by a link that is good at the path of the workload alone.
    await inClaim(
      kubectl,
      theirs,
      'mkdir -m 700 lost+found main wal; mv data main/pgdata; cp -a main/pgdata old; mv main/pgdata/pg_wal wal/16; ln -s "$PWD/wal/16" main/pgdata/pg_wal',
    );
    const vdb = of("adopted", "pvc-adopt", "theirs");
    await apply(vdb);
    const refused = await waitForPhase(kubectl, vdb, "Error");
    match(text(refused, "status", "lastError"), /more than one data directory: main\/pgdata, old; set spec\.dataDirectory/u);
    await applyVdb(kubectl, of("adopted", "pvc-adopt", "theirs", { dataDirectory: "main/pgdata" }));
    const ready = await waitForPhase(kubectl, vdb, "Ready");
    equal(await sqlInPod(kubectl, vdb, words), "theirs");
    equal(await sqlInPod(kubectl, vdb, accountsChecksum), known.accounts);
    equal(await driverOf(ready), foreignDriver.name);
    await deleteVdb(kubectl, vdb);
    equal(await kubectl.get("pvc", "theirs", namespace), undefined, "with deletionPolicy Delete the claim goes along");
    deepEqual(await foreignVolumes(kubectl), []);
  });
});
