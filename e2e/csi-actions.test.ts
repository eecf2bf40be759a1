/** Actions on databases of plain CSI: what they hold afterwards, that a failure brings the old data back, that no claim is left. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, items, type Json, testCluster, text } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { untilReady } from "./origins.ts";
import {
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  runAction,
  settledVdbCount,
  sqlInPod,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";
import { snapshot as snapshotOf } from "./volumes/manifests.ts";

const kubectl = await testCluster();
const namespace = "csi-actions";
const source = { name: "origin", namespace };
const words = "SELECT string_agg(word, ' ' ORDER BY id) FROM words";
const write = (word: string): string => `INSERT INTO words (word) VALUES ('${word}')`;
const known = { vdbs: 0 };

type Vdb = ReturnType<typeof of>;
const of = (name: string, type: string, reference: string, spec: object = {}) => ({
  name,
  namespace,
  spec: {
    source: { type, reference },
    database: { name: "postgres", user: "postgres", passwordSecretRef: `${name}-password` },
    ...spec,
  },
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
  await untilReady(kubectl, { name, namespace });
}

const act = async (vdb: Vdb, kind: string, name: string, spec: object = {}): Promise<Json> =>
  await runAction(kubectl, vdb, { kind, name: `${vdb.name}-${name}`, spec });

async function completed(vdb: Vdb, kind: string, name: string, spec: object = {}): Promise<Json> {
  const found = await act(vdb, kind, name, spec);
  equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  console.log(`${kind} ${name} of ${vdb.spec.source.type}: ${text(found, "status", "duration")}`);
  await waitForPhase(kubectl, vdb, "Ready");
  return found;
}

/** The action that its plan foretold: the same steps, hooks and snapshot, under the plan. */
async function asPlanned(vdb: Vdb, kind: string, name: string, spec: object = {}): Promise<Json> {
  const planned = await act(vdb, kind, `${name}-plan`, { ...spec, planOnly: true });
  deepEqual(items(planned, "status", "plan", "blockers"), []);
  const found = await completed(vdb, kind, name, { ...spec, planRef: { name: `${vdb.name}-${name}-plan` } });
  deepEqual(stepsIn(found, "steps"), stepsIn(planned, "plan", "steps"));
  for (const field of ["name", "timestamp"])
    equal(text(found, "status", "snapshot", field), text(planned, "status", "plan", "snapshot", field), field);
  return planned;
}

const stepsIn = (action: Json, ...path: readonly string[]): readonly string[] =>
  items(action, "status", ...path).map((step) => `${text(step, "phase")} ${text(step, "name")}`);
const stagesOf = (planned: Json): readonly string[] =>
  items(planned, "status", "plan", "hooks").map((hook) => text(hook, "stage"));

async function nothingStaged(): Promise<void> {
  await eventually("no VolumeSnapshot for one copy alone is left", 60, async () => {
    const left = await kubectl.list("volumesnapshots", ["-n", namespace, "-l", "postgresvdb.core.delphix.com/stage-of"]);
    return left.length === 0 ? true : undefined;
  });
}

const claims = async (vdb: { readonly name: string }): Promise<readonly string[]> =>
  (await kubectl.list("pvc", ["-n", namespace, "-l", `app.kubernetes.io/instance=${vdb.name}`]))
    .map((claim) => text(claim, "metadata", "name"))
    .toSorted();

describe("refresh and rewind of databases of plain CSI", { skip: !isFullTier, timeout: 1_200_000 }, () => {
  before(async () => {
    await ensureNamespace(kubectl, namespace);
    known.vdbs = await settledVdbCount(kubectl);
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

  test("snapshots and tasks: as on a database of DCT; what was previous may go, and its VolumeSnapshots are good for all that", async () => {
    const marks = ["pre-snapshot", "post-snapshot", "post-refresh", "post-rewind"].map((stage) => ({
      name: "mark",
      stage,
      script: `CREATE TABLE IF NOT EXISTS marks (stage text); INSERT INTO marks VALUES ('${stage}')`,
    }));
    const vdb = of("snapped", "pvc-clone", await claimOf(source), { hooks: marks });
    const seen = "SELECT string_agg(stage, ' ' ORDER BY ctid) FROM marks";
    await ready(vdb);
    await sqlInPod(kubectl, vdb, write("own"));
    const plain = await completed(vdb, "VDBSnapshot", "plain");
    deepEqual(
      ["type", "name", "readyToUse"].map((field) => text(plain, "status", "snapshot", field)),
      ["volume-snapshot", "snapped-plain", "true"],
    );
    equal(await sqlInPod(kubectl, vdb, seen), "pre-snapshot post-snapshot");
    await sqlInPod(kubectl, vdb, write("backed-up"));
    const backup = await completed(vdb, "PostgresSnapshot", "backup", { preSnapshot: { content: write("inside") } });
    match(text(backup, "status", "lsn", "begin"), /^[0-9A-F]+\/[0-9A-F]+$/u);
    const task = await completed(vdb, "PostgresTask", "sql", {
      vdbRef: undefined,
      targetRef: { name: vdb.name },
      content: words,
    });
    match(text(task, "status", "output"), /first newer own backed-up inside/u);
    const command = { targetRef: { name: vdb.name }, type: "command", content: "ls $PGDATA" };
    const shell = await completed(vdb, "Task", "command", { vdbRef: undefined, ...command });
    match(text(shell, "status", "output"), /PG_VERSION/u);

    const first = await claimOf(vdb);
    const planned = await asPlanned(vdb, "PostgresRefresh", "fresh", { postRefresh: { content: "CREATE TABLE by_action ()" } });
    deepEqual(stagesOf(planned), ["postRefresh", "post-refresh"]);
    equal(await sqlInPod(kubectl, vdb, seen), "post-refresh");
    await asPlanned(vdb, "VDBRefresh", "again");
    await eventually("the first claim is gone", 120, async () => ((await claims(vdb)).includes(first) ? undefined : true));
    const back = await asPlanned(vdb, "VDBRewind", "back", { snapshotRef: { type: "volume-snapshot", name: "snapped-backup" } });
    deepEqual(stagesOf(back), ["post-rewind"], "clients were let in to that state");
    equal(await sqlInPod(kubectl, vdb, words), "first newer own backed-up inside", "of a volume whose claim is gone");
    equal(await sqlInPod(kubectl, vdb, seen), "pre-snapshot post-snapshot pre-snapshot post-rewind");
    await asPlanned(vdb, "VDBRewind", "undo", { snapshotRef: { type: "previous" } });
    equal(await sqlInPod(kubectl, vdb, words), "first newer", "as before the rewind");
    await nothingStaged();
    await deleteVdb(kubectl, vdb);
    await kubectl.run(["delete", "volumesnapshot", "snapped-plain", "snapped-backup", "-n", namespace, "--timeout=120s"]);
    await eventually("its volumes are gone", 120, async () => ((await vdbCount(kubectl)) === known.vdbs + 1 ? true : undefined));
  });

  test("on a class that binds when the pod is scheduled: new data, old data after a failure, and after an undo", async () => {
    const late = {
      metadata: { name: "csi-late" },
      provisioner: "defs.csi.delphix.com",
      volumeBindingMode: "WaitForFirstConsumer",
    };
    await kubectl.apply(JSON.stringify({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", ...late }));
    const vdb = of("waiting", "pvc-clone", await claimOf(source), { storageClassName: "csi-late" });
    await ready(vdb);
    await sqlInPod(kubectl, vdb, write("own"));
    const failed = await act(vdb, "PostgresRefresh", "failing", { postRefresh: { content: "SELECT 1/0" } });
    equal(condition(failed, "RolledBack")?.reason, "RolledBack", text(failed, "status"));
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await sqlInPod(kubectl, vdb, words), "first newer own");
    equal((await claims(vdb)).length, 1, "the claim of the failed one is gone");
    await completed(vdb, "VDBRefresh", "fresh");
    equal(await sqlInPod(kubectl, vdb, words), "first newer");
    const present = await kubectl.get("postgresvdb", vdb.name, namespace);
    const volume = text(await kubectl.get("pvc", text(present, "status", "pvcName"), namespace), "spec", "volumeName");
    const handle = text(await kubectl.get("persistentvolume", volume), "spec", "csi", "volumeHandle");
    deepEqual(
      [text(present, "status", "delphixVDB"), text(present, "status", "delphixID"), text(present, "status", "content", "handle")],
      [volume, handle, handle],
      "the status tells of the new volume",
    );
    await nothingStaged();
    await completed(vdb, "VDBRewind", "undo", { snapshotRef: { type: "previous" } });
    equal(await sqlInPod(kubectl, vdb, words), "first newer own");
    await deleteVdb(kubectl, vdb);
    deepEqual(await claims(vdb), []);
    await kubectl.run(["delete", "storageclass", "csi-late"]);
  });
});
