/**
 * The controller's pod deleted while Kubernetes waits for the answer of an RPC, as soon as DCT shows what the RPC has begun: the
 * next controller ends it, and there is one object of DCT. integration/killed loses each answer of DCT in turn; here the sidecars
 * are the stock ones, and ask again of their own accord.
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, items, type Json, storageNamespace, testCluster, text, withEngine } from "@vdb/cluster";
import { allOf, type DctClient, eq } from "@vdb/dct";
import { isFullTier } from "kube-runtime/testing";
import { killPods, livePods, type Pods } from "./pods.ts";
import { processesOf } from "./processes.ts";
import { claim, ofClaim, ofSnapshot, pod, sleeps, snapshot, together } from "./volumes/manifests.ts";
import { type StorageState, storageState } from "./volumes/storage-state.ts";

const kubectl = await testCluster();
const namespace = "controller-killed";
const controller: Pods = { namespace: storageNamespace, label: "app.kubernetes.io/name=delphix-csi-controller" };
/** An RPC takes some tenths of a second. It may be answered before we have seen that it has begun: then it is asked anew. */
const attempts = 8;
/** Ten restarts of the controller, of some seconds each: too long for every run. */
const skip = !isFullTier;
const attaching = text(await kubectl.get("csidriver", "defs.csi.delphix.com"), "spec", "attachRequired") === "true";

/** One asking of an RPC. */
interface Asked {
  /** Has Kubernetes ask for it. */
  readonly ask: () => Promise<unknown>;
  /** Something of DCT that is another one from when the RPC has begun. */
  readonly begun: (engine: DctClient) => Promise<string>;
  /** Whether Kubernetes has its answer. */
  readonly answered: () => Promise<boolean>;
  /** What is true of DCT once it has. */
  readonly holds: (engine: DctClient) => Promise<void>;
}
interface Row {
  readonly rpc: string;
  /** Makes what it needs. `name` is another one each time. */
  readonly prepare: (name: string, engine: DctClient) => Promise<Asked>;
}

const get = async (kind: string, name: string): Promise<Json | undefined> => await kubectl.get(kind, name, namespace);
const run = async (...args: readonly string[]): Promise<string> => await kubectl.run([...args, "-n", namespace]);
const remove = async (reference: string): Promise<string> => await run("delete", reference, "--wait=false");

async function boundVolume(name: string): Promise<{ readonly volume: string; readonly id: string }> {
  await run("wait", "--for=jsonpath={.status.phase}=Bound", `pvc/${name}`, "--timeout=240s");
  const volume = text(await get("pvc", name), "spec", "volumeName");
  return { volume, id: text(await kubectl.get("pv", volume), "spec", "csi", "volumeHandle") };
}
async function makeVolume(name: string): Promise<{ readonly volume: string; readonly id: string }> {
  await kubectl.apply(together([claim(name, { namespace })]));
  return await boundVolume(name);
}
const contentOf = async (name: string): Promise<Json | undefined> => {
  const content = text(await get("volumesnapshot", name), "status", "boundVolumeSnapshotContentName");
  return content === "" ? undefined : await kubectl.get("volumesnapshotcontent", content);
};
async function makeSnapshot(name: string, of: string): Promise<{ readonly content: string; readonly id: string }> {
  await kubectl.apply(together([snapshot(name, namespace, of)]));
  await run("wait", "--for=jsonpath={.status.readyToUse}=true", `volumesnapshot/${name}`, "--timeout=240s");
  const content = await contentOf(name);
  return { content: text(content, "metadata", "name"), id: text(content, "status", "snapshotHandle") };
}

const newestJob = async (engine: DctClient, type: string): Promise<string> =>
  (await engine.searchJobs(eq("type", type), { sort: "-start_time", limit: 1 }))[0]?.id ?? "";
const jobs = async (engine: DctClient, target: string, type: string): Promise<number> =>
  (await engine.searchJobs(allOf(eq("target_id", target), eq("type", type)))).length;
const vdbs = async (engine: DctClient): Promise<readonly string[]> => (await engine.searchVdbs()).map(({ id }) => id);
const snapshotsOf = async (engine: DctClient, id: string): Promise<readonly string[]> =>
  (await engine.searchSnapshots(eq("dataset_id", id))).map((one) => one.id);
/** Those of `now` that were not there before. */
const added = (earlier: readonly string[], now: readonly string[]): readonly string[] =>
  now.filter((id) => !earlier.includes(id));

/** A row of CreateVolume, for a claim of each kind of source. */
const creating = (rpc: string, spec: Parameters<typeof claim>[1]["spec"]): Row => ({
  rpc,
  prepare: async (name, engine) => {
    const earlier = await vdbs(engine);
    return {
      ask: async () => await kubectl.apply(together([claim(name, { namespace, ...(spec === undefined ? {} : { spec }) })])),
      begun: async () => await newestJob(engine, "DB_PROVISION"),
      answered: async () => (await kubectl.list("pv", [])).some((one) => text(one, "spec", "claimRef", "name") === name),
      holds: async () => {
        const { id } = await boundVolume(name);
        deepEqual([added(earlier, await vdbs(engine)), await jobs(engine, id, "DB_PROVISION")], [[id], 1]);
      },
    };
  },
});

const attachment = async (volume: string): Promise<Json | undefined> =>
  (await kubectl.list("volumeattachments", [])).find(
    (one) => text(one, "spec", "source", "persistentVolumeName") === volume && text(one, "metadata", "deletionTimestamp") === "",
  );
const startPod = async (name: string): Promise<unknown> => await kubectl.apply(together([pod(name, namespace, name, sleeps)]));
const running = async (name: string): Promise<unknown> =>
  await run("wait", "--for=condition=Ready", `pod/${name}`, "--timeout=240s");
const detached = async (volume: string): Promise<boolean> =>
  (await kubectl.list("volumeattachments", [])).every((one) => text(one, "spec", "source", "persistentVolumeName") !== volume);

const rows: readonly Row[] = [
  creating("CreateVolume of a dSource", undefined),
  creating("CreateVolume of a claim", { dataSource: ofClaim("base") }),
  creating("CreateVolume of a VolumeSnapshot", { dataSource: ofSnapshot("base") }),
  {
    rpc: "ControllerExpandVolume",
    prepare: async (name, engine) => {
      const { volume, id } = await makeVolume(name);
      const size = async (): Promise<string> => text(await kubectl.get("pv", volume), "spec", "capacity", "storage");
      const tags = async (): Promise<string> => JSON.stringify((await engine.getVdb(id))?.tags);
      const larger = { spec: { resources: { requests: { storage: "2Gi" } } } };
      return {
        ask: async () => await run("patch", "pvc", name, "--type=merge", "-p", JSON.stringify(larger)),
        begun: tags,
        answered: async () => (await size()) === "2Gi",
        holds: async () => {
          equal(await size(), "2Gi");
          const written = (await engine.getVdb(id))?.tags?.filter(({ key }) => key === "kubernetes/capacity-bytes") ?? [];
          deepEqual(
            written.map(({ value }) => Number(value)).filter((bytes) => bytes > 2 ** 30),
            [2 * 2 ** 30],
          );
        },
      };
    },
  },
  {
    rpc: "CreateSnapshot",
    prepare: async (name, engine) => {
      const { id } = await boundVolume("base");
      const [earlier, taken] = [await snapshotsOf(engine, id), await jobs(engine, id, "DB_SNAPSHOT")];
      return {
        ask: async () => await kubectl.apply(together([snapshot(name, namespace, "base")])),
        begun: async () => await newestJob(engine, "DB_SNAPSHOT"),
        answered: async () => text(await contentOf(name), "status", "snapshotHandle") !== "",
        holds: async () => {
          const handle = text(await contentOf(name), "status", "snapshotHandle");
          deepEqual(added(earlier, await snapshotsOf(engine, id)), [handle]);
          equal(await jobs(engine, id, "DB_SNAPSHOT"), taken + 1);
        },
      };
    },
  },
  {
    rpc: "DeleteSnapshot",
    prepare: async (name, engine) => {
      const { content, id } = await makeSnapshot(name, "base");
      return {
        ask: async () => await remove(`volumesnapshot/${name}`),
        begun: async () => await newestJob(engine, "SNAPSHOT_DELETE"),
        answered: async () => (await kubectl.get("volumesnapshotcontent", content)) === undefined,
        holds: async () => {
          deepEqual([await engine.getSnapshot(id), await jobs(engine, id, "SNAPSHOT_DELETE")], [undefined, 1]);
          notEqual(await engine.getVdb((await boundVolume("base")).id), undefined, "its volume is untouched");
        },
      };
    },
  },
  {
    rpc: "DeleteVolume",
    prepare: async (name, engine) => {
      const { volume, id } = await makeVolume(name);
      const earlier = await vdbs(engine);
      return {
        ask: async () => await remove(`pvc/${name}`),
        begun: async () => await newestJob(engine, "DB_DELETE"),
        answered: async () => (await kubectl.get("pv", volume)) === undefined,
        holds: async () => {
          deepEqual([added(await vdbs(engine), earlier), await jobs(engine, id, "DB_DELETE")], [[id], 1]);
        },
      };
    },
  },
];

/** The attacher's RPCs. A VDB is made enabled, so that the first pod of a volume changes nothing. */
const attachingRows: readonly Row[] = [
  {
    rpc: "ControllerUnpublishVolume",
    prepare: async (name, engine) => {
      const { volume, id } = await makeVolume(name);
      await startPod(name);
      await running(name);
      return {
        ask: async () => await remove(`pod/${name}`),
        begun: async () => await newestJob(engine, "DB_DISABLE"),
        answered: async () => await detached(volume),
        holds: async () => deepEqual([(await engine.getVdb(id))?.enabled, await jobs(engine, id, "DB_DISABLE")], [false, 1]),
      };
    },
  },
  {
    rpc: "ControllerPublishVolume",
    prepare: async (name, engine) => {
      const { volume, id } = await makeVolume(name);
      await startPod(name);
      await running(name);
      await remove(`pod/${name}`);
      await eventually("the volume is detached", 120, async () => ((await detached(volume)) ? true : undefined));
      return {
        ask: async () => await startPod(name),
        begun: async () => await newestJob(engine, "DB_ENABLE"),
        answered: async () => text(await attachment(volume), "status", "attached") === "true",
        holds: async () => {
          await running(name);
          deepEqual([(await engine.getVdb(id))?.enabled, await jobs(engine, id, "DB_ENABLE")], [true, 1]);
        },
      };
    },
  },
];

/** The numbers of the controller pod's processes, the driver's first; once it is ready. */
async function controllerProcesses(): Promise<readonly number[]> {
  const found = await eventually("a controller is ready", 240, async () => {
    const [one, ...others] = await livePods(kubectl, controller);
    const ready = items(one, "status", "conditions").find((condition) => text(condition, "type") === "Ready");
    return others.length === 0 && text(ready, "status") === "True" ? one : undefined;
  });
  const containers = [...items(found, "status", "initContainerStatuses"), ...items(found, "status", "containerStatuses")];
  return containers.flatMap((one) => processesOf(text(one, "containerID")).map(({ pid }) => pid));
}

/** Has the RPC asked, and the controller's pod deleted when it has begun. False: it was answered before that. */
async function cutOff({ ask, begun, answered, holds }: Asked, engine: DctClient): Promise<boolean> {
  const processes = await controllerProcesses();
  ok(processes.length > 1, "the driver and its sidecars are seen on this machine");
  const earlier = await begun(engine);
  const stop = async (): Promise<void> => {
    const until = performance.now() + 60_000;
    while ((await begun(engine)) === earlier) ok(performance.now() < until, "DCT does not show what the RPC has begun");
    // From here on nothing of the pod does anything more: its deletion alone would leave it the time to answer.
    for (const pid of processes) process.kill(pid, "SIGSTOP");
  };
  await Promise.all([ask(), stop()]);
  const inTime = !(await answered());
  await killPods(kubectl, controller, { wait: false });
  await eventually("Kubernetes has its answer", 240, async () => ((await answered()) ? true : undefined));
  await holds(engine);
  return inTime;
}

describe("the controller's pod deleted in the middle of an RPC", { skip, timeout: 2_000_000 }, () => {
  let beginning: StorageState;

  before(async () => {
    await ensureNamespace(kubectl, namespace);
    beginning = await storageState(kubectl);
    await makeVolume("base");
    await makeSnapshot("base", "base");
  });
  after(async () => void (await run("delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s")));

  for (const { rpc, prepare } of [...rows, ...(attaching ? attachingRows : [])])
    test(`${rpc}: the next controller ends it, and there is one object of DCT`, { timeout: 900_000 }, async (t) => {
      await withEngine(kubectl, async (engine) => {
        for (let nth = 1; nth <= attempts; nth += 1) {
          const from = performance.now();
          const inTime = await cutOff(await prepare(`killed-${rpc.replace(/\W+/gu, "-").toLowerCase()}-${nth}`, engine), engine);
          const seconds = ((performance.now() - from) / 1000).toFixed(1);
          t.diagnostic(`attempt ${nth}: ${inTime ? "killed before it was answered" : "answered before"}; ${seconds} s in all`);
          if (inTime) return;
        }
        throw new Error(`in ${attempts} attempts ${rpc} was answered before the controller was killed`);
      });
    });

  test("its namespace deleted, nothing of all this is left", { timeout: 400_000 }, async () => {
    await kubectl.run(["delete", "namespace", namespace, "--timeout=240s"]);
    await eventually("the storage is as it was", 120, async () => {
      deepEqual(await storageState(kubectl), beginning);
      return true;
    });
  });
});
