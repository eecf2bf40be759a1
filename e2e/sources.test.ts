/** Databases from volumes and VolumeSnapshots, by plain CSI: the data is there, the source stays as it is, a deletion leaves nothing. */
import { equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, ensureNamespace, eventually, type Json, testCluster, text } from "@vdb/cluster";
import {
  accountsChecksum,
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  setEnabled,
  sqlInPod,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const [namespace, elsewhere] = ["sources", "sources-elsewhere"];
const source = { name: "origin", namespace };
const snapshotGroup = "snapshot.storage.k8s.io/v1";
const words = "SELECT string_agg(word, ' ' ORDER BY id) FROM words";
const write = (word: string): string => `INSERT INTO words (word) VALUES ('${word}')`;
let before_: { vdbs: number; accounts: string } = { vdbs: 0, accounts: "" };

const of = (name: string, type: string, reference: string, spec: object = {}, where = namespace) => ({
  name,
  namespace: where,
  spec: {
    source: { type, reference },
    database: { name: "postgres", user: "postgres", passwordSecretRef: `${name}-password` },
    ...spec,
  },
});

/** Applies it with a password of its own, and waits until clients can use it. */
async function readyFrom(options: ReturnType<typeof of>): Promise<Json> {
  await makePasswordSecret(kubectl, options);
  await applyVdb(kubectl, options);
  return await waitForPhase(kubectl, options, "Ready");
}

const claimOf = async (vdb: { name: string; namespace: string }): Promise<string> =>
  text(await kubectl.get("postgresvdb", vdb.name, vdb.namespace), "status", "pvcName");

async function snapshot(name: string, claim: string): Promise<void> {
  const spec = { source: { persistentVolumeClaimName: claim } };
  await kubectl.apply(JSON.stringify({ apiVersion: snapshotGroup, kind: "VolumeSnapshot", metadata: { name, namespace }, spec }));
  await eventually(`VolumeSnapshot ${name} is ready`, 120, async () => {
    const found = await kubectl.get("volumesnapshot", name, namespace);
    return text(found, "status", "readyToUse") === "true" ? true : undefined;
  });
}

/** What the operator makes for one claim alone is gone when the claim is bound. */
async function nothingStaged(): Promise<void> {
  const label = ["-A", "-l", "postgresvdb.core.delphix.com/stage-of"];
  for (const kind of ["volumesnapshots", "volumesnapshotcontents"])
    await eventually(`no staged ${kind}`, 60, async () => {
      const left = await kubectl.list(kind, kind === "volumesnapshots" ? label : label.slice(1));
      if (left.length === 0) return true;
      throw new Error(left.map((one) => text(one, "metadata", "name")).join());
    });
}

before(async () => {
  for (const name of [namespace, elsewhere]) await ensureNamespace(kubectl, name);
  before_ = { ...before_, vdbs: await vdbCount(kubectl) };
  await makePasswordSecret(kubectl, source);
  await applyVdb(kubectl, source);
  await waitForPhase(kubectl, source, "Ready");
  await sqlInPod(kubectl, source, `CREATE TABLE words (id serial, word text); ${write("first")};`);
  before_ = { ...before_, accounts: await sqlInPod(kubectl, source, accountsChecksum) };
});
after(async () => {
  await kubectl.run(["delete", "namespace", namespace, elsewhere, "--ignore-not-found", "--timeout=240s"]);
});

test("k8s-snapshot: the rows of the moment, none written later, and a VolumeSnapshot that stays", {
  timeout: 400_000,
}, async () => {
  await sqlInPod(kubectl, source, "CHECKPOINT");
  await snapshot("monday", await claimOf(source));
  await sqlInPod(kubectl, source, write("later"));
  const vdb = of("from-snapshot", "k8s-snapshot", "monday");
  const ready = await readyFrom(vdb);
  equal(await sqlInPod(kubectl, vdb, words), "first");
  equal(await sqlInPod(kubectl, vdb, accountsChecksum), before_.accounts);
  equal(text(ready, "status", "source", "snapshotName"), "monday");
  equal(
    text(ready, "status", "dataTimestamp"),
    text(await kubectl.get("volumesnapshot", "monday", namespace), "status", "creationTime"),
  );
  equal(text(ready, "metadata", "labels", "sourceRef"), "monday");
  await sqlInPod(kubectl, vdb, write("own"));
  equal(await sqlInPod(kubectl, source, words), "first later", "the source is untouched");
  await setEnabled(kubectl, vdb, false);
  await waitForPhase(kubectl, vdb, "Stopped");
  await setEnabled(kubectl, vdb, true);
  await waitForPhase(kubectl, vdb, "Ready");
  equal(await sqlInPod(kubectl, vdb, words), "first own");
  await deleteVdb(kubectl, vdb);
  equal(await vdbCount(kubectl), before_.vdbs + 1, "its volume is gone");
  ok(await kubectl.get("volumesnapshot", "monday", namespace));
});
