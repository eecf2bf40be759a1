/** Refreshes and rewinds of databases of plain CSI: what they hold afterwards, that a failure brings the old data back, that no claim is left. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, type Json, testCluster, text } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { applyVdb, condition, deleteVdb, makePasswordSecret, runAction, sqlInPod, vdbCount, waitForPhase } from "./vdb.ts";
import { snapshot as snapshotOf } from "./volumes/manifests.ts";

const kubectl = await testCluster();
const namespace = "csi-actions";
const source = { name: "origin", namespace };
const words = "SELECT string_agg(word, ' ' ORDER BY id) FROM words";
const write = (word: string): string => `INSERT INTO words (word) VALUES ('${word}')`;
const known = { vdbs: 0 };

type Vdb = ReturnType<typeof of>;
const of = (name: string, type: string, reference: string) => ({
  name,
  namespace,
  spec: { source: { type, reference }, database: { name: "postgres", user: "postgres", passwordSecretRef: `${name}-password` } },
});

async function ready(vdb: Vdb): Promise<void> {
  await makePasswordSecret(kubectl, vdb);
  await applyVdb(kubectl, vdb);
  await waitForPhase(kubectl, vdb, "Ready");
}

const claimOf = async (vdb: { readonly name: string }): Promise<string> =>
  text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "pvcName");

async function snapshot(name: string): Promise<void> {
  await sqlInPod(kubectl, source, "CHECKPOINT");
  await kubectl.apply(JSON.stringify(snapshotOf(name, namespace, await claimOf(source))));
  await eventually(`VolumeSnapshot ${name} is ready`, 120, async () => {
    const found = await kubectl.get("volumesnapshot", name, namespace);
    return text(found, "status", "readyToUse") === "true" ? true : undefined;
  });
}

const act = async (vdb: Vdb, kind: string, name: string, spec: object = {}): Promise<Json> =>
  await runAction(kubectl, vdb, { kind, name: `${vdb.name}-${name}`, spec });

async function completed(vdb: Vdb, kind: string, name: string, spec: object = {}): Promise<void> {
  const found = await act(vdb, kind, name, spec);
  equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  console.log(`${kind} ${name} of ${vdb.spec.source.type}: ${text(found, "status", "duration")}`);
  await waitForPhase(kubectl, vdb, "Ready");
}

const claims = async (vdb: { readonly name: string }): Promise<readonly string[]> =>
  (await kubectl.list("pvc", ["-n", namespace, "-l", `app.kubernetes.io/instance=${vdb.name}`]))
    .map((claim) => text(claim, "metadata", "name"))
    .toSorted();

describe("refresh and rewind of databases of plain CSI", { skip: !isFullTier, timeout: 1_200_000 }, () => {
  before(async () => {
    await ensureNamespace(kubectl, namespace);
    known.vdbs = await vdbCount(kubectl);
    await makePasswordSecret(kubectl, source);
    await applyVdb(kubectl, source);
    await waitForPhase(kubectl, source, "Ready");
    await sqlInPod(kubectl, source, `CREATE TABLE words (id serial, word text); ${write("first")};`);
    await snapshot("monday");
  });
  after(async () => {
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"]);
  });

  test("pvc-clone: a fresh clone of its source, the old data by previous, the latest own snapshot", async () => {
    const vdb = of("cloned", "pvc-clone", await claimOf(source));
    await ready(vdb);
    const first = await claimOf(vdb);
    await sqlInPod(kubectl, vdb, write("own"));
    await sqlInPod(kubectl, source, write("newer"));

    await completed(vdb, "PostgresRefresh", "fresh", { postRefresh: { content: "CREATE TABLE by_action AS SELECT 1 AS n" } });
    equal(await sqlInPod(kubectl, vdb, words), "first newer", "the source's rows, and none of its own");
    equal(await sqlInPod(kubectl, vdb, "SELECT n FROM by_action"), "1");
    const second = await claimOf(vdb);
    notEqual(second, first);
    deepEqual(await claims(vdb), [first, second].toSorted());

    await completed(vdb, "VDBRewind", "undo", { snapshotRef: { type: "previous" } });
    equal(await sqlInPod(kubectl, vdb, words), "first own", "as it was before the refresh");
    equal(await claimOf(vdb), first);

    await completed(vdb, "VDBSnapshot", "good");
    await sqlInPod(kubectl, vdb, "DELETE FROM words");
    await completed(vdb, "VDBRewind", "latest");
    equal(await sqlInPod(kubectl, vdb, words), "first own", "what was there is back");
    equal((await claims(vdb)).length, 2, "the claim of what was previous before is gone");
    equal(await sqlInPod(kubectl, source, words), "first newer", "the source is untouched");
    await deleteVdb(kubectl, vdb);
    deepEqual(await claims(vdb), []);
    // Our driver keeps a volume as long as it has snapshots.
    await kubectl.run(["delete", "volumesnapshot", "cloned-good", "-n", namespace, "--timeout=120s"]);
  });

  test("k8s-snapshot: from its own and from another snapshot; a script that fails brings the old data back", async () => {
    const vdb = of("restored", "k8s-snapshot", "monday");
    await ready(vdb);
    await sqlInPod(kubectl, vdb, write("own"));
    await completed(vdb, "VDBRefresh", "fresh");
    equal(await sqlInPod(kubectl, vdb, words), "first", "its own snapshot again");

    await snapshot("tuesday");
    await completed(vdb, "PostgresRefresh", "other", { snapshotRef: { type: "volume-snapshot", name: "tuesday" } });
    equal(await sqlInPod(kubectl, vdb, words), "first newer");
    await sqlInPod(kubectl, vdb, write("precious"));
    const held = await claimOf(vdb);

    const failed = await act(vdb, "PostgresRefresh", "failing", { postRefresh: { content: "SELECT 1/0" } });
    equal(text(failed, "status", "phase"), "Error");
    equal(condition(failed, "RolledBack")?.reason, "RolledBack", text(failed, "status"));
    match(text(failed, "status", "lastError"), /22012: division by zero/u);
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await sqlInPod(kubectl, vdb, words), "first newer precious");
    equal(await claimOf(vdb), held);
    equal((await claims(vdb)).length, 2, "the claim of the failed one is gone");

    const refused = await act(vdb, "VDBRewind", "refused", { snapshotRef: { type: "volume-snapshot", name: "monday" } });
    equal(condition(refused, "Succeeded")?.reason, "SnapshotNotUsable");
    equal(condition(refused, "RolledBack")?.reason, "NothingChanged");
    const dct = await act(vdb, "VDBRefresh", "dct", { snapshotRef: { type: "dct-bookmark", name: "good" } });
    match(text(dct, "status", "lastError"), /names data in DCT/u);
    equal(await sqlInPod(kubectl, vdb, words), "first newer precious", "refusals cost nothing");
    await deleteVdb(kubectl, vdb);
    await eventually("its volumes are gone", 120, async () => ((await vdbCount(kubectl)) === known.vdbs + 1 ? true : undefined));
    ok(await kubectl.get("volumesnapshot", "monday", namespace));
  });
});
