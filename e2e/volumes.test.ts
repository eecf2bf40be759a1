/** Volumes of the driver as any workload uses them, with the stock sidecars and without the operator. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, emptySource, ensureNamespace, eventually, restartKubelet, storageNamespace, testCluster, text } from "@vdb/cluster";
import { isFullTier, seededRandom, testSeed } from "kube-runtime/testing";
import { killPods } from "./pods.ts";
import { poolFileSystem } from "./pool.ts";
import { planCycle } from "./volumes/cycles.ts";
import { claim, ofClaim, ofSnapshot, pod, sleeps, snapshot, together, writes } from "./volumes/manifests.ts";
import { type StorageState, storageState } from "./volumes/storage-state.ts";

const kubectl = await testCluster();
const namespace = "volumes";
const cycles = isFullTier ? 50 : 6;
let beginning: StorageState;

before(async () => {
  await ensureNamespace(kubectl, namespace);
  beginning = await storageState(kubectl);
  const spec = { accessModes: ["ReadWriteOncePod"] };
  await kubectl.apply(together([claim("written", { namespace, spec }), pod("writer", namespace, "written", writes)]));
  await kubectl.run(["wait", "--for=condition=Ready", "pod/writer", "-n", namespace, "--timeout=240s"]);
});
after(async () => void (await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"])));

const inPod = async (name: string, script: string): Promise<string> =>
  await kubectl.run(["exec", "-n", namespace, name, "--", "/bin/sh", "-c", script]);
const lastTick = async (name = "writer"): Promise<number> => Number(await inPod(name, "tail -n 1 /mnt/data/ticks"));
/** A tick that was written after this call. */
const nextTick = async (name = "writer"): Promise<number> => {
  const from = await lastTick(name);
  return await eventually("the pod goes on writing", 60, async () => {
    const tick = await lastTick(name);
    return tick > from ? tick : undefined;
  });
};
const bound = async (claims: readonly string[]): Promise<string> => {
  const names = claims.map((name) => `pvc/${name}`);
  return await kubectl.run(["wait", "--for=jsonpath={.status.phase}=Bound", ...names, "-n", namespace, "--timeout=240s"]);
};
const warnings = async (name: string): Promise<string> => {
  const selector = `involvedObject.name=${name},type=Warning`;
  const events = await kubectl.list("events", ["-n", namespace, "--field-selector", selector]);
  return events.map((event) => text(event, "message")).join("\n");
};

test("a claim is expanded while a pod writes: the pod notices nothing, and a copy has to be as large", async () => {
  const larger = { spec: { resources: { requests: { storage: "2Gi" } } } };
  const from = performance.now();
  await kubectl.run(["patch", "pvc", "written", "-n", namespace, "--type=merge", "-p", JSON.stringify(larger)]);
  const expanded = await eventually("the claim is expanded", 120, async () => {
    const found = await kubectl.get("pvc", "written", namespace);
    return text(found, "status", "capacity", "storage") === "2Gi" ? found : undefined;
  });
  console.log(`expanded after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  deepEqual(at(expanded, "status", "conditions") ?? [], []);
  equal(text(await kubectl.get("pv", text(expanded, "spec", "volumeName")), "spec", "capacity", "storage"), "2Gi");
  await nextTick();
  await kubectl.apply(together([claim("too-small", { namespace, spec: { dataSource: ofClaim("written") } })]));
  const said = await eventually("an event says how large", 120, async () => (await warnings("too-small")) || undefined);
  match(said, /size/u);
  await kubectl.run(["delete", "pvc", "too-small", "-n", namespace, "--timeout=120s"]);
});

test("an empty volume on request: a claim that names the empty dSource; a copy of it has what was written", async () => {
  const annotations = { sourceDBName: emptySource };
  const keeps = `test -z "$(ls -A /mnt)" && echo kept >/mnt/letter && sync && ${sleeps}`;
  await kubectl.apply(together([claim("blank", { namespace, annotations }), pod("blank", namespace, "blank", keeps)]));
  await eventually("the pod found it empty", 240, async () =>
    (await inPod("blank", "cat /mnt/letter").catch(() => "")) === "kept" ? true : undefined,
  );
  const copy = claim("blank-copy", { namespace, spec: { dataSource: ofClaim("blank") } });
  await kubectl.apply(together([copy, pod("blank-copy", namespace, "blank-copy", sleeps)]));
  await kubectl.run(["wait", "--for=condition=Ready", "pod/blank-copy", "-n", namespace, "--timeout=240s"]);
  equal(await inPod("blank-copy", "ls -A /mnt"), "letter");
  await kubectl.run(["delete", "pod/blank", "pod/blank-copy", "pvc/blank", "pvc/blank-copy", "-n", namespace, "--timeout=120s"]);
});

test("a claim of ReadWriteOncePod is one pod's: a second one waits, and says for what", async () => {
  await kubectl.apply(together([pod("second", namespace, "written", sleeps)]));
  const message = await eventually("the scheduler says why", 120, async () => {
    const conditions = at(await kubectl.get("pod", "second", namespace), "status", "conditions");
    return /ReadWriteOncePod/u.exec(JSON.stringify(conditions))?.[0];
  });
  ok(message);
  await kubectl.run(["delete", "pod", "second", "-n", namespace, "--timeout=120s"]);
});

test("node plugin and kubelet killed while a pod writes: no write is lost or refused, and the next mounts work", async () => {
  const from = await lastTick();
  await killPods(kubectl, { namespace: storageNamespace, label: "app.kubernetes.io/name=delphix-csi-node" });
  await restartKubelet();
  await kubectl.apply(
    together([
      snapshot("of-written", namespace, "written"),
      claim("restored", { namespace, storage: "2Gi", spec: { dataSource: ofSnapshot("of-written") } }),
      pod("restored", namespace, "restored", writes),
      claim("copied", { namespace, storage: "2Gi", spec: { dataSource: ofClaim("written") } }),
      pod("copied", namespace, "copied", writes),
    ]),
  );
  await kubectl.run(["wait", "--for=condition=Ready", "pod/restored", "pod/copied", "-n", namespace, "--timeout=240s"]);
  await kubectl.run(["rollout", "status", "daemonset/delphix-csi-node", "-n", storageNamespace, "--timeout=240s"]);
  const until = await nextTick();
  ok(until > from);
  equal(await inPod("writer", `head -n ${until} /mnt/data/ticks | awk '$1 != NR' | wc -l`), "0", "every tick, once, in order");
});

test("a snapshot, then the source of two clones and its pod are deleted, by force: the clones go on with what they had", {
  timeout: 600_000,
}, async () => {
  await kubectl.run(["delete", "volumesnapshot/of-written", "-n", namespace, "--timeout=120s"]);
  await kubectl.run(["delete", "pod/writer", "-n", namespace, "--grace-period=0", "--force"]);
  await kubectl.run(["delete", "pvc/written", "-n", namespace, "--timeout=120s"]);
  await eventually("the source is gone from the pool", 120, async () => {
    const { vdbs } = await storageState(kubectl);
    return vdbs.length === beginning.vdbs.length + 2 ? true : undefined;
  });
  for (const clone of ["restored", "copied"]) {
    await nextTick(clone);
    equal(await inPod(clone, "test -s /mnt/data/PG_VERSION && sort -n /mnt/data/ticks | head -n 1"), "1");
  }
});

/** Each is given to a claim of its own, whose events have to say what is wrong and what to write. */
const mistakes: readonly {
  readonly name: string;
  readonly given: Partial<Parameters<typeof claim>[1]>;
  readonly says: RegExp;
}[] = [
  {
    name: "no-annotation",
    given: { annotations: {} },
    says: /FailedPrecondition.*annotation sourceDBName is missing.*dataSource/u,
  },
  {
    name: "unknown-source",
    given: { annotations: { sourceDBName: "absent" } },
    says: /NotFound.*SourceNotFound.*absent.*production/u,
  },
  {
    name: "unknown-engine",
    given: { annotations: { sourceDBName: "production", engineName: "absent" } },
    says: /NotFound.*EngineNotFound.*absent.*delphix-engine/u,
  },
  {
    name: "unknown-group",
    given: { annotations: { sourceDBName: "production", vdbGroupName: "absent" } },
    says: /NotFound.*GroupNotFound.*absent.*Untitled/u,
  },
  {
    name: "unknown-environment",
    given: { annotations: { sourceDBName: "production", envName: "absent" } },
    says: /NotFound.*EnvironmentNotFound.*absent.*dev-env/u,
  },
  {
    name: "unknown-repository",
    given: { annotations: { sourceDBName: "production", vdbRepositoryName: "absent" } },
    says: /NotFound.*RepositoryNotFound.*absent.*its repositories: Empty vFile Repository/u,
  },
  {
    name: "relative-path",
    given: { annotations: { sourceDBName: "production", vdbStageMountpath: "mnt" } },
    says: /FailedPrecondition.*vdbStageMountpath "mnt" is not an absolute path/u,
  },
  {
    name: "owner-by-name",
    given: { annotations: { sourceDBName: "production", ownershipSpec: "postgres" } },
    says: /FailedPrecondition.*ownershipSpec "postgres" does not have the form uid:gid/u,
  },
  { name: "many-nodes", given: { spec: { accessModes: ["ReadWriteMany"] } }, says: /InvalidArgument.*use ReadWriteOnce/u },
  { name: "block-mode", given: { spec: { volumeMode: "Block" } }, says: /InvalidArgument.*use volumeMode Filesystem/u },
  {
    name: "too-small",
    given: { storage: "1Mi", spec: { dataSource: ofClaim("copied") } },
    says: /size/u,
  },
  {
    name: "foreign-snapshot",
    given: { spec: { dataSource: ofSnapshot("foreign") } },
    says: /snapshotcontent foreign .* is not handled by CSI driver of StorageClass de-fs-storage/u,
  },
];

test("mistakes of a claim: an event names each, and what to write instead", { timeout: 300_000 }, async () => {
  await kubectl.apply(together(foreignSnapshot()));
  await kubectl.run([
    "patch",
    "volumesnapshot",
    "foreign",
    "-n",
    namespace,
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({ status: { readyToUse: true, boundVolumeSnapshotContentName: "foreign", restoreSize: "1Gi" } }),
  ]);
  await kubectl.apply(together(mistakes.map(({ name, given }) => claim(name, { namespace, ...given }))));
  for (const { name, says } of mistakes)
    await eventually(`an event on ${name} says ${says.source}`, 120, async () => {
      const said = await warnings(name);
      if (says.test(said)) return said;
      throw new Error(said);
    });
  await kubectl.run(["delete", "pvc", ...mistakes.map(({ name }) => name), "-n", namespace, "--timeout=120s"]);
  await kubectl.run(["delete", "volumesnapshot/foreign", "-n", namespace, "--wait=false"]);
  await kubectl.run(["delete", "volumesnapshotcontent/foreign", "--wait=false"]);
  // Its driver would take its own finalizer off, and there is none.
  await kubectl.run(["patch", "volumesnapshotcontent/foreign", "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
});

/** As another driver would have taken it. */
function foreignSnapshot(): Parameters<typeof together>[0] {
  const apiVersion = "snapshot.storage.k8s.io/v1";
  return [
    {
      apiVersion,
      kind: "VolumeSnapshotContent",
      metadata: { name: "foreign" },
      spec: {
        driver: "other.example",
        deletionPolicy: "Retain",
        source: { snapshotHandle: "theirs" },
        volumeSnapshotRef: { name: "foreign", namespace },
      },
    },
    {
      apiVersion,
      kind: "VolumeSnapshot",
      metadata: { name: "foreign", namespace },
      spec: { source: { volumeSnapshotContentName: "foreign" } },
    },
  ];
}

test(`${cycles} claims with copies, snapshots and pods come and go at once (seed ${testSeed}): nothing of them is left`, {
  timeout: 900_000,
}, async () => {
  const standing = await storageState(kubectl);
  const random = seededRandom(testSeed);
  const plans = Array.from({ length: cycles }, (_, nth) => planCycle(nth, namespace, random));
  await kubectl.apply(together(plans.flatMap(({ objects }) => objects)));
  const remove = async (hasty: boolean): Promise<void> => {
    const references = plans.filter((plan) => plan.hasty === hasty).flatMap(({ deletions }) => deletions);
    if (references.length > 0) await kubectl.run(["delete", ...references, "-n", namespace, "--wait=false"]);
  };
  await remove(true);
  const claims = plans.flatMap((plan) => (plan.hasty ? [] : plan.claims));
  if (claims.length > 0) await bound(claims);
  await remove(false);
  await eventually("nothing is left of them", 300, async () => {
    deepEqual(await storageState(kubectl), standing);
    return true;
  });
});

test("the kubelet's metrics show how full the volumes are", { timeout: 300_000 }, async () => {
  const node = text(await kubectl.get("pod", "copied", namespace), "spec", "nodeName");
  const metric = (name: string, all: string): number | undefined => {
    const line = new RegExp(
      `^kubelet_volume_stats_${name}\\{namespace="${namespace}",persistentvolumeclaim="copied"\\} (\\S+)`,
      "mu",
    );
    const found = line.exec(all)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const shown = await eventually("the kubelet has looked", 180, async () => {
    const all = await kubectl.run(["get", "--raw", `/api/v1/nodes/${node}/proxy/metrics`]);
    const [total, free, inodes] = ["capacity_bytes", "available_bytes", "inodes"].map((name) => metric(name, all));
    return total === undefined || free === undefined ? undefined : { total, free, inodes };
  });
  ok(shown.free > 0 && shown.free < shown.total, JSON.stringify(shown));
  equal(shown.inodes === 0, (await poolFileSystem()) === "btrfs", "which sets no limit");
});

test("its namespace deleted, nothing of all this is left", { timeout: 300_000 }, async () => {
  await kubectl.run(["delete", "namespace", namespace, "--timeout=240s"]);
  await eventually("the storage is as it was", 120, async () => {
    deepEqual(await storageState(kubectl), beginning);
    return true;
  });
});
