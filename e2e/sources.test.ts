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
  settledVdbCount,
  sqlInPod,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";
import { snapshot as snapshotOf } from "./volumes/manifests.ts";
import { applyWorkload, scaleWorkload, sqlInWorkload } from "./workload.ts";

const kubectl = await testCluster();
const [namespace, elsewhere] = ["sources", "sources-elsewhere"];
const source = { name: "origin", namespace };
const words = "SELECT string_agg(word, ' ' ORDER BY id) FROM words";
const write = (word: string): string => `INSERT INTO words (word) VALUES ('${word}')`;
const known = { vdbs: 0, accounts: "" };

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
  await kubectl.apply(JSON.stringify(snapshotOf(name, namespace, claim)));
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

/** The kind as the Gateway API has it, so far as it is read. */
const grantKind = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: {
    name: "referencegrants.gateway.networking.k8s.io",
    annotations: { "api-approved.kubernetes.io": "unapproved, for a test" },
  },
  spec: {
    group: "gateway.networking.k8s.io",
    scope: "Namespaced",
    names: { kind: "ReferenceGrant", plural: "referencegrants" },
    versions: [
      {
        name: "v1beta1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

before(async () => {
  await kubectl.apply(JSON.stringify(grantKind));
  await kubectl.run(["wait", "--for=condition=Established", `crd/${grantKind.metadata.name}`, "--timeout=60s"]);
  for (const name of [namespace, elsewhere]) await ensureNamespace(kubectl, name);
  known.vdbs = await settledVdbCount(kubectl);
  await makePasswordSecret(kubectl, source);
  await applyVdb(kubectl, source);
  await waitForPhase(kubectl, source, "Ready");
  await sqlInPod(kubectl, source, `CREATE TABLE words (id serial, word text); ${write("first")};`);
  known.accounts = await sqlInPod(kubectl, source, accountsChecksum);
});
after(async () => {
  await kubectl.run(["delete", "namespace", namespace, elsewhere, "--ignore-not-found", "--timeout=240s"]);
  await kubectl.run(["delete", "crd", grantKind.metadata.name, "--timeout=60s"]);
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
  equal(await sqlInPod(kubectl, vdb, accountsChecksum), known.accounts);
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
  equal(await vdbCount(kubectl), known.vdbs + 1, "its volume is gone");
  ok(await kubectl.get("volumesnapshot", "monday", namespace));
});

test("pvc-clone of a running database: a checkpoint, a snapshot that goes again, and every row that was committed", {
  timeout: 400_000,
}, async () => {
  const vdb = of("cloned", "pvc-clone", await claimOf(source));
  await sqlInPod(kubectl, source, write("newest"));
  const ready = await readyFrom(vdb);
  equal(await sqlInPod(kubectl, vdb, words), "first later newest");
  equal(await sqlInPod(kubectl, vdb, accountsChecksum), known.accounts);
  equal(condition(ready, "SourceResolved")?.message, "the source, the group and the environment exist");
  equal(at(ready, "status", "source", "crashConsistent"), false);
  const log = await kubectl.run(["logs", "-n", namespace, "deploy/cloned"]);
  match(log, /redo starts at .*redo done at /su);
  const [from, to] = ["starts", "done"].map((what) => new RegExp(`redo ${what} at ([0-9A-F/]+)`, "u").exec(log)?.[1]);
  const replayed = await sqlInPod(kubectl, vdb, `SELECT pg_wal_lsn_diff('${to}', '${from}')`);
  ok(
    Number(replayed) < 1_000_000,
    `a checkpoint was written before the snapshot: there is next to nothing to replay (${replayed} bytes)`,
  );
  match(text(ready, "status", "dataTimestamp"), /^20\d\d-/u);
  await nothingStaged();
  await sqlInPod(kubectl, vdb, write("own"));
  equal(await sqlInPod(kubectl, source, words), "first later newest", "the source is untouched");
  await deleteVdb(kubectl, vdb);
  equal(await vdbCount(kubectl), known.vdbs + 1);
  equal(await sqlInPod(kubectl, source, words), "first later newest");
});

test("from another namespace: refused with the grant, which lets it in, and nothing of the way is left", {
  timeout: 600_000,
}, async () => {
  const clone = of("cloned", "pvc-clone", `${namespace}/${await claimOf(source)}`, {}, elsewhere);
  const restored = of("restored", "k8s-snapshot", "monday", {}, elsewhere);
  for (const vdb of [
    clone,
    { ...restored, spec: { ...restored.spec, source: { type: "k8s-snapshot", reference: "monday", namespace } } },
  ]) {
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    const refused = await waitForPhase(kubectl, vdb, "Error");
    equal(condition(refused, "SourceResolved")?.reason, "ReferenceNotGranted");
    const grant = /its owner can apply this grant: (.*)$/u.exec(text(refused, "status", "lastError"))?.[1] ?? "";
    await kubectl.apply(grant);
    await waitForPhase(kubectl, vdb, "Ready");
  }
  equal(await sqlInPod(kubectl, clone, words), "first later newest");
  equal(await sqlInPod(kubectl, restored, words), "first");
  await nothingStaged();
  for (const vdb of [clone, restored]) await deleteVdb(kubectl, vdb);
  equal(await vdbCount(kubectl), known.vdbs + 1);
  ok(await kubectl.get("volumesnapshot", "monday", namespace), "the snapshot of the other namespace is still there");
  const again = of("from-snapshot", "k8s-snapshot", "monday");
  await readyFrom(again);
  equal(await sqlInPod(kubectl, again, words), "first", "and still good");
  await deleteVdb(kubectl, again);
});

/** Somebody else's PostgreSQL, on a volume of our driver. */
const theirs = {
  name: "theirs",
  namespace,
  annotations: { envName: "dev-env" },
  claim: {
    storageClassName: "de-fs-storage",
    dataSource: { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "monday" },
  },
};

test("a foreign workload's claim: cloned as it is, crash-consistent and said so; adopted only when the workload has stopped", {
  timeout: 600_000,
}, async () => {
  await applyWorkload(kubectl, theirs);
  await sqlInWorkload(kubectl, theirs, write("theirs"));
  const clone = of("crashed", "pvc-clone", "theirs");
  const ready = await readyFrom(clone);
  equal(await sqlInPod(kubectl, clone, words), "first theirs", "what was committed is recovered from the WAL");
  match(condition(ready, "SourceResolved")?.message ?? "", /claim theirs is copied as it is, crash-consistent/u);
  equal(text(ready, "metadata", "labels", "envName"), "dev-env");
  await deleteVdb(kubectl, clone);
  await nothingStaged();

  const vdb = of("adopted", "pvc-adopt", "theirs", { deletionPolicy: "Retain" });
  await makePasswordSecret(kubectl, vdb);
  await applyVdb(kubectl, vdb);
  const inUse = await waitForPhase(kubectl, vdb, "Error");
  equal(condition(inUse, "SourceResolved")?.reason, "ClaimInUse");
  await scaleWorkload(kubectl, theirs, 0);
  await waitForPhase(kubectl, vdb, "Ready");
  equal(await sqlInPod(kubectl, vdb, words), "first theirs");
  equal(await claimOf(vdb), "theirs");
  const claim = await kubectl.get("pvc", "theirs", namespace);
  equal(at(claim, "metadata", "ownerReferences"), undefined);
  equal(at(claim, "metadata", "labels"), undefined, "nothing is written to it");
  await sqlInPod(kubectl, vdb, write("adopted"));
  await deleteVdb(kubectl, vdb);
  await scaleWorkload(kubectl, theirs, 1);
  equal(await sqlInWorkload(kubectl, theirs, words), "first theirs adopted", "it goes on where the database has stopped");

  await kubectl.run(["delete", "deploy", "theirs", "-n", namespace, "--timeout=120s"]);
  const gone = of("adopted", "pvc-adopt", "theirs");
  await readyFrom(gone);
  await deleteVdb(kubectl, gone);
  equal(await kubectl.get("pvc", "theirs", namespace), undefined, "with deletionPolicy Delete the claim goes along");
  equal(await vdbCount(kubectl), known.vdbs + 1);
});
