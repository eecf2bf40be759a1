/** Refreshes and rewinds of databases of another driver on a real API server: the pod gets another claim, and no claim is left over. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type ActionKind,
  type ActionObject,
  isFinished,
  type PostgresVDB,
  postgresRefresh,
  resourceOf,
  vdbRefresh,
  vdbRewind,
  vdbSnapshot,
} from "@vdb/api";
import { deployments, events, type PersistentVolumeClaim, persistentVolumeClaims, pods, storageClasses } from "kube-runtime";
import { isFullTier, seededRandom, testSeed } from "kube-runtime/testing";
import { volumeSnapshotClasses, volumeSnapshots } from "../src/data/csi/volume-snapshots.ts";
import { playCluster } from "./testing/fake-cluster.ts";
import { fakeDct } from "./testing/fake-dct.ts";
import { defineSnapshots, playSnapshots, snapshotTime } from "./testing/fake-snapshots.ts";
import { chosenDeaths, type Moment, mortal } from "./testing/mortal.ts";
import {
  type Answer,
  applyVdb,
  type Bench,
  deleteVdb,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  startBench,
  startOperator,
  untilVdb,
  vdbs,
} from "./testing/operator.ts";
import { until } from "./testing/until.ts";

/** A driver that DCT does not know. */
const driver = "foreign.csi.test";
const hooks = ["post-create", "post-refresh"].map((stage) => ({ name: "mask", stage, script: `SELECT '${stage}'` }));
const well: Answer = ({ command }) => (command[3] === "hook" ? { stdout: "exit 0\nmasked" } : healthy());
const failing: Answer = ({ command, stdin = "" }) => {
  if (command[3] !== "hook") return healthy();
  return { stdout: stdin.includes("post-refresh") ? "exit 3\nno such table" : "exit 0" };
};

interface Loop {
  readonly name: string;
  readonly kind: ActionKind;
  readonly spec: { readonly snapshotRef?: object };
  /** Whether the new data comes on a claim of its own. */
  readonly isCopy: boolean;
}
const loops: readonly Loop[] = [
  { name: "refresh", kind: vdbRefresh, spec: {}, isCopy: true },
  { name: "rewind", kind: vdbRewind, spec: { snapshotRef: { type: "volume-snapshot", name: "own" } }, isCopy: true },
  { name: "snapshot", kind: vdbSnapshot, spec: {}, isCopy: false },
];
const random = seededRandom(testSeed);
/** All in the full tier, else one by the seed. */
const chosenOf = <T>(all: readonly T[]): readonly T[] =>
  isFullTier ? all : all.slice(Math.floor(random() * all.length)).slice(0, 1);

describe(`databases of another driver (seed ${testSeed})`, { timeout: isFullTier ? 3_000_000 : 600_000 }, () => {
  const stack = new AsyncDisposableStack();
  let bench: Bench;
  before(async () => {
    bench = stack.use(await startBench());
    await defineSnapshots(bench.client, forever);
    await bench.client.create(storageClasses, { metadata: { name: "foreign" }, provisioner: driver }, forever);
    await bench.client.create(volumeSnapshotClasses, { metadata: { name: "foreign" }, driver }, forever);
    stack.use(playSnapshots(bench.client, driver));
  });
  after(async () => await stack.disposeAsync());

  const claims = async (namespace: string): Promise<readonly string[]> =>
    (await bench.client.list(persistentVolumeClaims, { namespace }, forever)).items
      .map(({ metadata }) => metadata.name)
      .toSorted();

  /** The claim that the pod has mounted: that of the status, and of the Deployment. */
  async function mounted(namespace: string): Promise<string> {
    const vdb = await bench.client.get(vdbs, { namespace, name: "orders" }, forever);
    const { items } = await bench.client.list(pods, { namespace }, forever);
    const deployment = await bench.client.get(deployments, { namespace, name: "orders" }, forever);
    const names = [...items.map(({ spec }) => spec), deployment.spec.template.spec].flatMap(
      (spec) => spec?.volumes?.flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []) ?? [],
    );
    const { content, pvcName = "" } = vdb.status;
    deepEqual([...new Set([...names, content?.claimName, pvcName])], [pvcName]);
    return pvcName;
  }

  /** A database `orders`, cloned from the claim `theirs`. */
  async function database(namespace: string, spec: object = {}): Promise<PostgresVDB> {
    const source = { type: "pvc-clone", reference: "theirs" };
    await applyVdb(bench.client, namespace, "orders", { source, hooks, ...spec });
    return await untilVdb(bench.client, namespace, "orders", isReady, 30);
  }
  async function place(namespace: string): Promise<void> {
    await newNamespace(bench.client, namespace);
    await makePassword(bench.client, namespace);
    const resources = { requests: { storage: "1Gi" } };
    const claim = { storageClassName: "foreign", accessModes: ["ReadWriteOnce" as const], resources };
    await bench.client.create(persistentVolumeClaims, { metadata: { name: "theirs", namespace }, spec: claim }, forever);
  }
  /** As csi-provisioner tells of a claim. */
  const warn = async (namespace: string, { metadata }: PersistentVolumeClaim, note: string): Promise<void> => {
    const { name, uid } = metadata;
    const event = {
      metadata: { namespace, name: `${name}.refused` },
      eventTime: new Date().toISOString().replace("Z", "000Z"), // a micro time
      type: "Warning" as const,
      reason: "ProvisioningFailed",
      note,
      action: "Provision",
      regarding: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      reportingController: driver,
      reportingInstance: driver,
    };
    await bench.client.create(events, event, forever);
  };
  const begin = async (namespace: string, kind: ActionKind, name: string, more: object = {}): Promise<void> => {
    const manifest = { metadata: { namespace, name }, spec: { vdbRef: { name: "orders" }, ...more } };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
    await bench.client.create(resourceOf<ActionKind>(kind), manifest as never, forever);
  };
  const end = async (namespace: string, kind: ActionKind, name: string): Promise<ActionObject> =>
    await until(
      `${kind.kind} ${name} has ended`,
      async () => {
        const found = await bench.client.get(resourceOf<ActionKind>(kind), { namespace, name }, forever);
        if (isFinished(found)) return found;
        throw new Error(JSON.stringify(found.status));
      },
      120, // an intent whose effect is not found is looked for again for a minute
    );

  test("refreshed, undone, taken back, and deleted", async () => {
    const namespace = "life";
    await place(namespace);
    await using _ = Object.assign(playCluster(bench.client, namespace), { driver });
    await using operator = startOperator(bench.api, fakeDct());
    operator.answer = well;
    const first = (await database(namespace)).status.pvcName ?? "";

    await begin(namespace, vdbRefresh, "fresh");
    const fresh = await end(namespace, vdbRefresh, "fresh");
    equal(fresh.status.phase, "Completed", fresh.status.lastError ?? "");
    const { status } = await untilVdb(bench.client, namespace, "orders", isReady);
    const second = await mounted(namespace);
    notEqual(second, first);
    deepEqual([status.previous?.claimName, status.dataTimestamp, status.delphixID], [first, snapshotTime, `vdb-of-${second}`]);
    deepEqual(await claims(namespace), [first, second, "theirs"].toSorted());
    deepEqual((await bench.client.list(volumeSnapshots, { namespace }, forever)).items, []);

    await begin(namespace, vdbRewind, "undo", { snapshotRef: { type: "previous" } });
    const undo = await end(namespace, vdbRewind, "undo");
    equal(undo.status.phase, "Completed", undo.status.lastError ?? "");
    await untilVdb(bench.client, namespace, "orders", isReady);
    equal(await mounted(namespace), first);

    operator.answer = failing;
    await begin(namespace, postgresRefresh, "failing");
    const failed = await end(namespace, postgresRefresh, "failing");
    deepEqual(
      [failed.status.phase, failed.status.conditions?.find(({ type }) => type === "RolledBack")?.reason],
      ["Error", "RolledBack"],
      failed.status.lastError ?? "",
    );
    await untilVdb(bench.client, namespace, "orders", isReady);
    equal(await mounted(namespace), first, "the old claim is back");
    deepEqual(
      await claims(namespace),
      [first, second, "theirs"].toSorted(),
      "that of the failed one is gone, the previous is there",
    );
    operator.answer = well;

    await deleteVdb(bench.client, namespace, "orders");
    deepEqual(await claims(namespace), ["theirs"]);
  });

  test("with deletionPolicy Retain the present and the previous claim stay, and belong to nobody", async () => {
    const namespace = "retained";
    await place(namespace);
    await using _ = Object.assign(playCluster(bench.client, namespace), { driver });
    await using operator = startOperator(bench.api, fakeDct());
    operator.answer = () => healthy();
    await database(namespace, { hooks: [], deletionPolicy: "Retain" });
    await begin(namespace, vdbRefresh, "fresh");
    await end(namespace, vdbRefresh, "fresh");
    const there = await claims(namespace);
    await deleteVdb(bench.client, namespace, "orders");
    deepEqual([there.length, await claims(namespace)], [3, there]);
    const { items } = await bench.client.list(persistentVolumeClaims, { namespace }, forever);
    deepEqual(
      items.flatMap(({ metadata }) => metadata.ownerReferences ?? []),
      [],
    );
  });

  test("an adopted claim: its database gets one of its own from a VolumeSnapshot, and the adopted one back by an undo", async () => {
    const namespace = "adopted";
    await place(namespace);
    await using _ = Object.assign(playCluster(bench.client, namespace), { driver });
    await using operator = startOperator(bench.api, fakeDct());
    operator.answer = () => healthy();
    await database(namespace, { hooks: [], source: { type: "pvc-adopt", reference: "theirs" } });
    equal(await mounted(namespace), "theirs");
    const source = { persistentVolumeClaimName: "theirs" };
    await bench.client.create(volumeSnapshots, { metadata: { namespace, name: "monday" }, spec: { source } }, forever);
    await until("the VolumeSnapshot is ready", async () => {
      const found = await bench.client.get(volumeSnapshots, { namespace, name: "monday" }, forever);
      return found.status?.readyToUse === true ? true : undefined;
    });
    await begin(namespace, vdbRefresh, "fresh", { snapshotRef: { type: "volume-snapshot", name: "monday" } });
    const fresh = await end(namespace, vdbRefresh, "fresh");
    equal(fresh.status.phase, "Completed", fresh.status.lastError ?? "");
    await untilVdb(bench.client, namespace, "orders", isReady);
    const own = await mounted(namespace);
    notEqual(own, "theirs");
    await begin(namespace, vdbRewind, "undo", { snapshotRef: { type: "previous" } });
    const undo = await end(namespace, vdbRewind, "undo");
    equal(undo.status.phase, "Completed", undo.status.lastError ?? "");
    const { status } = await untilVdb(bench.client, namespace, "orders", isReady);
    deepEqual([await mounted(namespace), status.previous?.claimName], ["theirs", own]);
    const claim = await bench.client.get(persistentVolumeClaims, { namespace, name: "theirs" }, forever);
    deepEqual([claim.metadata.labels, claim.metadata.ownerReferences], [undefined, undefined], "nothing is written to it");
    await deleteVdb(bench.client, namespace, "orders");
    deepEqual(await claims(namespace), [], "with deletionPolicy Delete both go");
  });

  test("on a class that binds when a pod comes, a storage that refuses then brings the old data back", async () => {
    const namespace = "late";
    const late = { metadata: { name: "late" }, provisioner: driver, volumeBindingMode: "WaitForFirstConsumer" as const };
    await bench.client.create(storageClasses, late, forever);
    await place(namespace);
    await using cluster = Object.assign(playCluster(bench.client, namespace), { driver });
    await using operator = startOperator(bench.api, fakeDct());
    operator.answer = well;
    const first = (await database(namespace, { storageClassName: "late" })).status.pvcName ?? "";
    cluster.provision = "nothing";
    await begin(namespace, vdbRefresh, "fresh");
    const { status: starting } = await untilVdb(bench.client, namespace, "orders", ({ status }) => status.pvcName !== first);
    const claim = await bench.client.get(persistentVolumeClaims, { namespace, name: starting.pvcName ?? "" }, forever);
    await warn(namespace, claim, "rpc error: code = ResourceExhausted desc = the pool is full");
    const { status } = await end(namespace, vdbRefresh, "fresh");
    const rolledBack = status.conditions?.find(({ type }) => type === "RolledBack")?.reason;
    deepEqual([status.phase, rolledBack], ["Error", "RolledBack"], status.lastError ?? "");
    match(status.lastError ?? "", /cannot provision the claim .*: the pool is full/u);
    await untilVdb(bench.client, namespace, "orders", isReady);
    deepEqual([await mounted(namespace), await claims(namespace)], [first, [first, "theirs"].toSorted()]);
    deepEqual((await bench.client.list(volumeSnapshots, { namespace }, forever)).items, []);
    await deleteVdb(bench.client, namespace, "orders");
  });

  const saved = { snapshotRef: { type: "volume-snapshot", name: "saved" } };
  const script = { content: "SELECT 1" };
  const sources = [
    { type: "pvc-clone", reference: "theirs", refresh: {} },
    { type: "k8s-snapshot", reference: "base", refresh: {} },
    { type: "pvc-adopt", reference: "theirs", refresh: saved },
  ] as const;
  for (const { type, reference, refresh } of chosenOf(sources))
    test(`${type}: what is carried out is what was planned, and a plan changes nothing`, async () => {
      const namespace = `planned-${type}`;
      await place(namespace);
      await using _ = Object.assign(playCluster(bench.client, namespace), { driver });
      await using operator = startOperator(bench.api, fakeDct());
      operator.answer = well;
      const source = { persistentVolumeClaimName: "theirs" };
      if (type === "k8s-snapshot")
        await bench.client.create(volumeSnapshots, { metadata: { namespace, name: "base" }, spec: { source } }, forever);
      await database(namespace, { source: { type, reference } });
      for (const [name, kind, spec] of [
        ["saved", vdbSnapshot, {}],
        ["refreshed", vdbRefresh, refresh],
        ["undone", vdbRewind, { snapshotRef: { type: "previous" } }],
        ["rewound", vdbRewind, saved],
        ["latest", vdbRewind, { previousRetention: "0s" }],
        ["scripted", postgresRefresh, { ...refresh, preRefresh: script, postRefresh: script }],
      ] as const) {
        const held = (await bench.client.get(vdbs, { namespace, name: "orders" }, forever)).status;
        const there = await claims(namespace);
        const asked = operator.execs.length;
        await begin(namespace, kind, `${name}-plan`, { ...spec, planOnly: true });
        const { status } = await end(namespace, kind, `${name}-plan`);
        const plan = "plan" in status ? status.plan : undefined;
        deepEqual([status.phase, plan?.blockers], ["Completed", []], status.lastError ?? "");
        const still = (await bench.client.get(vdbs, { namespace, name: "orders" }, forever)).status;
        const made = (await claims(namespace)).filter((claim) => !there.includes(claim));
        deepEqual([still.content, still.previous, made], [held.content, held.previous, []]);
        deepEqual(
          operator.execs.slice(asked).filter(({ command }) => command[3] === "hook"),
          [],
        );

        await begin(namespace, kind, name, { ...spec, planRef: { name: `${name}-plan` } });
        const deed = (await end(namespace, kind, name)).status;
        equal(deed.phase, "Completed", `${name}: ${deed.lastError ?? ""}`);
        deepEqual(
          (deed.steps ?? []).map(({ name: step, phase }) => ({ name: step, phase })),
          plan?.steps,
          name,
        );
        const used = "snapshot" in deed ? deed.snapshot : undefined;
        for (const [field, value] of Object.entries(plan?.snapshot ?? {}))
          equal(Object.entries(used ?? {}).find(([one]) => one === field)?.[1], value, `${name}: ${field}`);
        const { previous } = (await untilVdb(bench.client, namespace, "orders", isReady)).status;
        if (plan?.previous !== undefined) equal(previous?.id === held.content?.id, plan.previous.kept, name);
      }

      await begin(namespace, vdbRefresh, "stale-plan", { ...refresh, planOnly: true });
      await end(namespace, vdbRefresh, "stale-plan");
      await bench.client.patch(vdbs, { namespace, name: "orders" }, { spec: { hooks: [] } }, forever);
      await untilVdb(bench.client, namespace, "orders", isReady);
      await begin(namespace, vdbRefresh, "stale", { ...refresh, planRef: { name: "stale-plan" } });
      match(
        (await end(namespace, vdbRefresh, "stale")).status.lastError ?? "",
        /^plan stale-plan does not hold any more: the manifest of the database was edited/u,
      );
      await deleteVdb(bench.client, namespace, "orders");
    });

  /** Carries out an action through one death of the operator; how many writes that took. */
  async function through({ name, kind, spec, isCopy }: Loop, namespace: string, death: number, moment: Moment): Promise<number> {
    await place(namespace);
    await using cluster = Object.assign(playCluster(bench.client, namespace), { driver });
    {
      await using operator = startOperator(bench.api, fakeDct());
      operator.answer = well;
      await database(namespace);
      if (spec.snapshotRef !== undefined) {
        await begin(namespace, vdbSnapshot, "own");
        await end(namespace, vdbSnapshot, "own");
      }
    }
    const first = await mounted(namespace);
    await begin(namespace, kind, name, spec);
    const api = mortal(bench.api, death, moment);
    {
      await using operator = startOperator(api, fakeDct());
      operator.answer = well;
      await until("it died or is done", async () => {
        const found = await bench.client.get(resourceOf<ActionKind>(kind), { namespace, name }, forever);
        return api.written() >= death || isFinished(found) ? true : undefined;
      });
    }
    await using operator = startOperator(bench.api, fakeDct());
    operator.answer = well;
    const { status } = await end(namespace, kind, name);
    equal(status.phase, "Completed", `${moment} write ${death}: ${status.lastError}`);
    await untilVdb(bench.client, namespace, "orders", isReady);
    const present = await mounted(namespace);
    equal(present !== first, isCopy);
    deepEqual(await claims(namespace), [...new Set([first, present, "theirs"])].toSorted(), `${moment} write ${death}`);
    equal(
      [...cluster.provisioned.values()].every((times) => times === 1),
      true,
    );
    const own = isCopy && spec.snapshotRef === undefined ? [] : [isCopy ? "own" : name];
    const { items } = await bench.client.list(volumeSnapshots, { namespace }, forever);
    deepEqual(
      items.map(({ metadata }) => metadata.name),
      own,
      "what was taken for one copy alone is gone",
    );
    await deleteVdb(bench.client, namespace, "orders");
    deepEqual(await claims(namespace), ["theirs"]);
    return api.written();
  }

  for (const loop of chosenOf(loops))
    test(`an operator that dies at any write of a ${loop.kind.kind}: it is done once, and nothing of the way is left`, async () => {
      const all = await through(loop, `${loop.name}-never`, Infinity, "before");
      for (const { death, moment } of chosenDeaths(all, 1)) await through(loop, `${loop.name}-${moment}-${death}`, death, moment);
    });
});
