/** VolumeSnapshots of a volume of the driver, with the stock snapshotter and snapshot-controller. */
import { equal, match, notEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  at,
  ensureNamespace,
  eventually,
  type Json,
  postgresImage,
  storageNamespace,
  testCluster,
  text,
  withEngine,
} from "@vdb/cluster";
import { killPods } from "./pods.ts";
import { applyVdb, condition, makePasswordSecret, settledVdbCount, sqlInPod, vdbCount, waitForPhase } from "./vdb.ts";
import * as volumes from "./volumes/manifests.ts";

const kubectl = await testCluster();
const namespace = "snapshots";
const vdb = { name: "kept", namespace };
const chart = new URL("../charts/delphix-storage", import.meta.url).pathname;
let vdbs = 0;

before(async () => {
  await ensureNamespace(kubectl, namespace);
  vdbs = await settledVdbCount(kubectl);
  await makePasswordSecret(kubectl, vdb);
  await applyVdb(kubectl, vdb);
  await waitForPhase(kubectl, vdb, "Ready");
});
after(async () => {
  await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"]);
});

const claimOf = async (name: string): Promise<Json> => {
  const [claim] = await kubectl.list("pvc", ["-n", namespace, "-l", `app.kubernetes.io/instance=${name}`]);
  if (claim === undefined) throw new Error(`PostgresVDB ${name} has no claim`);
  return claim;
};

async function snapshot(name: string): Promise<void> {
  const persistentVolumeClaimName = text(await claimOf(vdb.name), "metadata", "name");
  // No class: the driver has a default one.
  await kubectl.apply(JSON.stringify(volumes.snapshot(name, namespace, persistentVolumeClaimName)));
}

const ready = (name: string): Promise<Json> =>
  eventually(`VolumeSnapshot ${name} is ready`, 120, async () => {
    const found = await kubectl.get("volumesnapshot", name, namespace);
    if (text(found, "status", "readyToUse") === "true") return found;
    throw new Error(text(found, "status"));
  });

const handleOf = async (found: Json): Promise<string> =>
  text(
    await kubectl.get("volumesnapshotcontent", text(found, "status", "boundVolumeSnapshotContentName")),
    "status",
    "snapshotHandle",
  );

const dctSnapshot = (id: string) => withEngine(kubectl, async (engine) => await engine.getSnapshot(id));

const copyOf = (name: string, claim: string, dataSource: object): string =>
  volumes.together([
    volumes.claim(claim, { namespace, spec: { dataSource } }),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: {
        securityContext: { runAsUser: 999, runAsGroup: 999, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "postgres",
            image: postgresImage,
            // The copy's own pg_hba.conf is the operator's, which knows where the VDB's pod has its socket.
            command: ["/bin/sh", "-c", 'echo "local all all trust" >/tmp/hba && exec "$@"', "sh", "postgres"],
            args: [
              "-D",
              "/mnt/postgres/data",
              ...["hba_file=/tmp/hba", "listen_addresses=", "unix_socket_directories=/tmp"].flatMap((one) => ["-c", one]),
            ],
            env: [{ name: "PGHOST", value: "/tmp" }],
            readinessProbe: { exec: { command: ["pg_isready", "-q"] }, periodSeconds: 1 },
            volumeMounts: [{ name: "data", mountPath: "/mnt/postgres" }],
          },
        ],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }],
      },
    },
  ]);

async function rowsIn(pod: string): Promise<string> {
  await kubectl.run(["wait", "--for=condition=Ready", `pod/${pod}`, "-n", namespace, "--timeout=240s"]);
  const psql = ["exec", "-i", "-n", namespace, pod, "--", "psql", "-U", "postgres", "-qXAt", "-f", "-"];
  return await kubectl.run(psql, { input: "SELECT string_agg(word, ' ' ORDER BY id) FROM kept_words" });
}

test("the class is the driver's, and the cluster's snapshot-controller is in a namespace of its own", async () => {
  const found = await kubectl.get("volumesnapshotclass", "de-fs-storage");
  equal(text(found, "driver"), "defs.csi.delphix.com");
  equal(text(found, "deletionPolicy"), "Delete");
  equal(text(await kubectl.get("deployment", "snapshot-controller", "snapshot-controller"), "status", "readyReplicas"), "1");
});

test("the chart leaves a snapshot-controller alone that somebody else has installed", { timeout: 120_000 }, async (t) => {
  const installs = async (): Promise<boolean> =>
    (await kubectl.helm(["template", "delphix-storage", chart, "-n", storageNamespace, "--dry-run=server"])).includes(
      "# Source: delphix-storage/templates/snapshots/controller.yaml",
    );
  const definition = ["crd", "volumesnapshots.snapshot.storage.k8s.io"];
  const lease = (renewed: Date): string =>
    JSON.stringify({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "snapshot-controller-leader", namespace },
      spec: { holderIdentity: "somebody", renewTime: renewed.toISOString().replace("Z", "000Z") },
    });
  t.after(async () => {
    await kubectl.run(["label", ...definition, "app.kubernetes.io/part-of=delphix-storage", "--overwrite"]);
  });
  equal(await installs(), true, "its own does not stand in its way: an upgrade would remove it");
  const image = "registry.example/sig-storage/snapshot-controller:v8.2.0";
  await kubectl.run(["create", "deployment", "theirs", "-n", namespace, `--image=${image}`, "--replicas=0"]);
  equal(await installs(), false, "a Deployment of that image");
  await kubectl.run(["delete", "deployment", "theirs", "-n", namespace]);
  await kubectl.apply(lease(new Date()));
  equal(await installs(), false, "a lease that a managed control plane renews");
  await kubectl.apply(lease(new Date(Date.now() - 3_600_000)));
  equal(await installs(), true, "a lease that nobody renews any more");
  await kubectl.run(["label", ...definition, "app.kubernetes.io/part-of-"]);
  equal(await installs(), false, "definitions that somebody else has brought");
});

test("a VolumeSnapshot of a VDB's claim is a DCT snapshot; a volume of it has its rows and none written later", {
  timeout: 600_000,
}, async (t) => {
  await sqlInPod(
    kubectl,
    vdb,
    "CREATE TABLE kept_words (id serial, word text); INSERT INTO kept_words (word) VALUES ('before'); CHECKPOINT;",
  );
  const from = performance.now();
  await snapshot("first");
  const found = await ready("first");
  t.diagnostic(`ready to use after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  await sqlInPod(kubectl, vdb, "INSERT INTO kept_words (word) VALUES ('after')");
  equal(text(found, "status", "restoreSize"), text(await claimOf(vdb.name), "status", "capacity", "storage"));
  const id = await handleOf(found);
  const dct = await dctSnapshot(id);
  equal(dct?.dataset_id, text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "delphixID"));
  equal(Date.parse(text(found, "status", "creationTime")), Math.floor(Date.parse(dct?.timestamp ?? "") / 1000) * 1000);
  const snapshotSource = { name: "first", kind: "VolumeSnapshot", apiGroup: "snapshot.storage.k8s.io" };
  await kubectl.apply(copyOf("restored", "restored", snapshotSource));
  await kubectl.apply(
    copyOf("cloned", "cloned", { name: text(await claimOf(vdb.name), "metadata", "name"), kind: "PersistentVolumeClaim" }),
  );
  equal(await rowsIn("restored"), "before");
  equal(await rowsIn("cloned"), "before after");
});

test("deleted, a VolumeSnapshot takes its DCT snapshot along, and the volume that was made of it stays", {
  timeout: 300_000,
}, async () => {
  const id = await handleOf(await ready("first"));
  await kubectl.run(["delete", "volumesnapshot", "first", "-n", namespace, "--timeout=120s"]);
  await eventually("the DCT snapshot is gone", 60, async () => ((await dctSnapshot(id)) === undefined ? true : undefined));
  equal(await rowsIn("restored"), "before");
  await kubectl.run(["delete", "pod/restored", "pod/cloned", "-n", namespace, "--timeout=180s"]);
  await kubectl.run(["delete", "pvc/restored", "pvc/cloned", "-n", namespace, "--timeout=180s"]);
  await eventually("their VDBs are gone", 120, async () => ((await vdbCount(kubectl)) === vdbs + 1 ? true : undefined));
});

test("the driver's pod deleted in the middle, ten times: one DCT snapshot for each VolumeSnapshot", {
  timeout: 600_000,
}, async () => {
  const names = Array.from({ length: 10 }, (_, index) => `killed-${index}`);
  for (const name of names) {
    await snapshot(name);
    const driver = { namespace: storageNamespace, label: "app.kubernetes.io/name=delphix-csi-controller" };
    await killPods(kubectl, driver, { wait: false });
  }
  const handles = [];
  for (const name of names) handles.push(await handleOf(await ready(name)));
  equal(new Set(handles).size, names.length);
  const id = text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "delphixID");
  const jobs = await withEngine(kubectl, async (engine) => await engine.searchJobs());
  const taken = jobs.filter(({ type, target_id }) => type === "DB_SNAPSHOT" && target_id === id);
  equal(taken.length, names.length + 1, "with the one of the first test");
});

test("a VDB with VolumeSnapshots keeps its data until they are deleted, and the volume says which", {
  timeout: 300_000,
}, async () => {
  const pv = text(await claimOf(vdb.name), "spec", "volumeName");
  await kubectl.run(["delete", "postgresvdb", vdb.name, "-n", namespace, "--wait=false"]);
  const said = await eventually("an event on the volume names the VolumeSnapshots", 120, async () => {
    const events = await kubectl.list("events", [
      "-A",
      "--field-selector",
      `involvedObject.name=${pv},reason=VolumeFailedDelete`,
    ]);
    return events.map((event) => text(event, "message")).find((message) => message.includes("VolumeSnapshot"));
  });
  match(
    said,
    /has snapshots, which DCT deletes together with it: delete VolumeSnapshot snapshots\/killed-0, .* and 5 more first/u,
  );
  notEqual(await vdbCount(kubectl), vdbs);
  await eventually("the database says so too", 60, async () => {
    const { message = "" } = condition((await kubectl.get("postgresvdb", vdb.name, namespace)) ?? null, "Ready") ?? {};
    if (message.includes("delete VolumeSnapshot snapshots/killed-0")) return true;
    throw new Error(message);
  });
  const left = await kubectl.list("volumesnapshots", ["-n", namespace]);
  equal(
    left.every((one) => at(one, "status", "readyToUse") === true),
    true,
  );
  await kubectl.run(["delete", "volumesnapshots", "--all", "-n", namespace, "--timeout=180s"]);
  await eventually("the VDB is gone from DCT", 120, async () => ((await vdbCount(kubectl)) === vdbs ? true : undefined));
  await kubectl.run(["wait", "--for=delete", `postgresvdb/${vdb.name}`, "-n", namespace, "--timeout=120s"]);
});

test("a namespace goes with its VDB, VolumeSnapshots of it and copies of these, and nothing of them stays in DCT", {
  timeout: 600_000,
}, async (t) => {
  await applyVdb(kubectl, vdb);
  await waitForPhase(kubectl, vdb, "Ready");
  await snapshot("last");
  await ready("last");
  await kubectl.apply(
    copyOf("restored", "restored", { name: "last", kind: "VolumeSnapshot", apiGroup: "snapshot.storage.k8s.io" }),
  );
  await kubectl.run(["wait", "--for=condition=Ready", "pod/restored", "-n", namespace, "--timeout=240s"]);
  const from = performance.now();
  await kubectl.run(["delete", "namespace", namespace, "--timeout=180s"]);
  await eventually("its VDBs are gone from DCT", 120, async () => ((await vdbCount(kubectl)) === vdbs ? true : undefined));
  t.diagnostic(`gone after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  const contents = await kubectl.list("volumesnapshotcontents", []);
  equal(contents.filter((one) => text(one, "spec", "volumeSnapshotRef", "namespace") === namespace).length, 0);
});
