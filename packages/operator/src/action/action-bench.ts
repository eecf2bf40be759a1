/** Actions on an API server in memory, with a pod that keeps its tokens as the real one does, and time that a test moves. */
import {
  type ActionKind,
  type ActionObject,
  brokenLaws,
  decode,
  isFinished,
  type PostgresVDB,
  postgresVDB,
  resourceOf,
  type VdbHold,
} from "@vdb/api";
import type { DctClient, DctConnection } from "@vdb/dct";
import {
  type Api,
  type Client,
  createClient,
  createManager,
  defineResource,
  type ExecRequest,
  type ExecResult,
  interceptApi,
  type KubeObject,
  type ObjectKey,
  pods,
  silentLog,
} from "kube-runtime";
import { createVirtualClock, memoryApi, type VirtualClock } from "kube-runtime/testing";
import { readConfig } from "../config.ts";
import { createCsiSources } from "../data/csi/csi-source.ts";
import { csiWorldOf } from "../data/csi/csi-world.ts";
import { createDataSources } from "../data/data-sources.ts";
import { createDctSource } from "../data/dct/dct-source.ts";
import { explainDct } from "../data/dct/failure.ts";
import { instanceOfPod, podsByInstance, vdbsByHandle } from "../vdb/context.ts";
import { contentLabel, instanceLabel } from "../vdb/names.ts";
import { actionCaches, controlActions } from "./controller.ts";

export const forever: AbortSignal = new AbortController().signal;
const vdbs = resourceOf(postgresVDB);
const { decode: _, ...vdbResource } = vdbs;
const plainVdbs = defineResource<KubeObject & { spec: object }>(vdbResource);
const plainPods = defineResource<KubeObject & { spec: object }>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
});
const plainSecrets = defineResource<KubeObject & { data: object }>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
});

/** What a text in the pod comes to: the lines that the runner prints at its end. */
export type Play = (token: string) => string | Promise<string>;

export interface ActionBench {
  readonly client: Client;
  readonly clock: VirtualClock;
  /** The tokens under which something has begun, in order; one that comes twice has run twice. */
  readonly begun: string[];
  readonly ended: string[];
  /** Laws that were broken by what was stored at any moment. */
  readonly broken: string[];
  /** The phases that each action was seen in, by its name. */
  readonly seen: Map<string, string[]>;
  play: Play;
  /** Where the database cannot get to when it is held there. */
  trouble: VdbHold | undefined;
  /** Whether the database answers no action. */
  holdDatabase: boolean;
  /** Whether the cluster cuts no snapshot. */
  holdSnapshots: boolean;
  /** How far the server says that its WAL has come. */
  walPosition: string;
  /** What the storage does each second. */
  playStorage: (client: Client) => Promise<void>;
  readonly apply: (kind: ActionKind, name: string, spec: object, more?: object) => Promise<void>;
  readonly get: (kind: ActionKind, name: string) => Promise<ActionObject>;
  readonly vdb: () => Promise<PostgresVDB>;
  readonly setVdb: (status: object) => Promise<void>;
  readonly setSpec: (spec: object) => Promise<void>;
  readonly changeVdb: (patch: { readonly spec: object }) => Promise<void>;
  /** The pod of a content answers. */
  readonly makePod: (name: string, contentId?: string) => Promise<void>;
  /** An operator at work until the condition holds, time moving in steps of a second, or `seconds` have passed. */
  readonly live: (
    until: () => Promise<boolean>,
    options?: { readonly api?: (api: Api) => Api; readonly seconds?: number },
  ) => Promise<void>;
}

export const opened = {
  phase: "Ready",
  observedGeneration: 1,
  content: { id: "c1", claimName: "orders-c1", madeBy: "create", openedTime: "2026-01-01T00:00:00Z" },
  pvcName: "orders-c1",
};

export async function actionBench(kinds: readonly ActionKind[], dctClient?: DctClient): Promise<ActionBench> {
  const clock = createVirtualClock();
  const api = memoryApi({ takesTurns: false, now: clock.now });
  const client = createClient(api, { fieldManager: "test" });
  const key = { namespace: "shop", name: "orders" };
  const [begun, ended, broken]: [string[], string[], string[]] = [[], [], []];
  const seen = new Map<string, string[]>();
  const state: Pick<ActionBench, "play" | "holdDatabase" | "holdSnapshots" | "playStorage" | "trouble" | "walPosition"> = {
    trouble: undefined,
    walPosition: "",
    playStorage: async () => undefined,
    play: () => "exit 0\ndone",
    holdDatabase: false,
    holdSnapshots: false,
  };
  const spec = {
    source: { type: "dct-source", reference: "delphix-engine:production" },
    database: { passwordSecretRef: "password" },
  };
  const manifest = {
    apiVersion: "core.delphix.com/v1alpha1",
    kind: "PostgresVDB",
    metadata: { ...key, uid: "1", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec,
  };
  await client.create(vdbs, { metadata: key, spec: decode(postgresVDB, manifest).spec }, forever);
  const exec = async (request: ExecRequest): Promise<ExecResult> => await playPod(request, begun, ended, state);
  const dct: Pick<DctConnection, "call"> = {
    call: async (work) => {
      if (dctClient === undefined) throw new Error("there is no DCT");
      return await work(dctClient);
    },
  };
  const { defaults } = readConfig([], {});
  const dctSource = createDctSource({ dct, defaults, isShut: () => false, mustAllowCopy: async () => undefined });
  const bench: ActionBench = Object.assign(state, {
    client,
    clock,
    begun,
    ended,
    broken,
    seen,
    apply: async (kind: ActionKind, name: string, given: object, more: object = {}) => {
      const metadata = { namespace: "shop", name, ...more };
      const object = {
        apiVersion: "actions.delphix.com/v1alpha1",
        kind: kind.kind,
        metadata: { ...manifest.metadata, ...metadata },
        spec: given,
      };
      await client.create(resourceOf<ActionKind>(kind), { metadata, spec: decode(kind, object).spec }, forever);
      await clock.advance(1000); // the next one is younger
    },
    get: async (kind: ActionKind, name: string) =>
      await client.get(resourceOf<ActionKind>(kind), { namespace: "shop", name }, forever),
    vdb: async () => await client.get(vdbs, key, forever),
    setVdb: async (status: object) => void (await client.patchStatus(vdbs, key, { status }, forever)),
    setSpec: async (changed: object) => void (await client.patch(vdbs, key, { spec: changed }, forever)),
    changeVdb: async (patch: { readonly spec: object }) =>
      void (await client.patch<KubeObject & { spec: object }>(plainVdbs, key, patch, forever)),
    makePod: async (name: string, contentId = "c1") => {
      const labels = { [instanceLabel]: "orders", [contentLabel]: contentId };
      await client.create(plainPods, { metadata: { name, namespace: "shop", labels }, spec: { containers: [] } }, forever);
      const container = {
        name: "postgres",
        ready: true,
        started: true,
        containerID: `containerd://${name}`,
        state: { running: {} },
      };
      const status = { phase: "Running", containerStatuses: [container] };
      await client.subresource(
        plainPods,
        { namespace: "shop", name },
        { name: "status", verb: "patch", body: { status } },
        forever,
      );
    },
    live: async (until: () => Promise<boolean>, { api: wrap = (one: Api) => one, seconds = 7200 } = {}) => {
      const stop = new AbortController();
      const manager = createManager({ name: "test", api: wrap(quietEvents(api)), log: silentLog, clock, random: () => 0.5 });
      const caches = {
        vdbs: manager.cacheFor(vdbs, { indexes: { [vdbsByHandle]: () => [] } }),
        pods: manager.cacheFor(pods, { indexes: { [podsByInstance]: instanceOfPod } }),
      };
      const config = { watchNamespaces: [], allowCrossNamespace: false, concurrency: 4, defaults };
      const csi = createCsiSources(csiWorldOf({ config, caches, exec, dct: dctSource, now: clock.now }));
      const sources = createDataSources({ "dct-source": dctSource, ...csi }, explainDct);
      controlActions(manager, {
        config,
        caches,
        actions: actionCaches(manager, []),
        exec,
        now: clock.now,
        sources,
      });
      const running = manager.run(stop.signal);
      for (let at = 0; at < seconds && !(await until()); at += 1) {
        await clock.advance(1000);
        if (!bench.holdDatabase) await playDatabase(client, bench.trouble);
        if (!bench.holdSnapshots) await playSnapshots(client);
        await bench.playStorage(client);
      }
      stop.abort();
      await running.catch(() => undefined);
    },
  });
  await bench.setVdb(opened);
  await bench.makePod("orders-1");
  await client.create(
    plainSecrets,
    { metadata: { namespace: "shop", name: "password" }, data: { password: btoa("a-good-password") } },
    forever,
  );
  void watchLaws(client, kinds, bench);
  return bench;
}

const plain = (group: string, version: string, kind: string, plural: string, namespaced: boolean) =>
  defineResource<KubeObject>({ group, version, kind, plural, namespaced });
const snapshotGroup = "snapshot.storage.k8s.io";
const snapshots = plain(snapshotGroup, "v1", "VolumeSnapshot", "volumesnapshots", true);
const contents = plain(snapshotGroup, "v1", "VolumeSnapshotContent", "volumesnapshotcontents", false);

/** A claim of a driver that has a class for snapshots. */
export async function makeVolume(client: Client): Promise<void> {
  const make = async (resource: ReturnType<typeof plain>, name: string, body: object): Promise<void> => {
    const metadata = { name, ...(resource.namespaced ? { namespace: "shop" } : {}) };
    await client.create(resource, { metadata, ...body }, forever);
  };
  await make(plain("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true), "orders-c1", {
    spec: { volumeName: "pv-1" },
  });
  await make(plain("", "v1", "PersistentVolume", "persistentvolumes", false), "pv-1", {
    spec: { csi: { driver: "d.example", volumeHandle: "h" } },
  });
  await make(plain(snapshotGroup, "v1", "VolumeSnapshotClass", "volumesnapshotclasses", false), "fast", { driver: "d.example" });
}

/** A VolumeSnapshot of that claim, as a driver has taken it. */
export async function makeVolumeSnapshot(client: Client, name: string, driver: string): Promise<void> {
  const content = `content-of-${name}`;
  const make = async (resource: ReturnType<typeof plain>, key: ObjectKey, spec: object, status: object): Promise<void> => {
    const body: object = { spec };
    await client.create(resource, { metadata: key, ...body }, forever);
    await client.subresource(resource, key, { name: "status", verb: "patch", body: { status } }, forever);
  };
  await make(contents, { name: content }, { driver }, { snapshotHandle: `handle-of-${name}` });
  const key = { namespace: "shop", name };
  const source = { persistentVolumeClaimName: "orders-c1" };
  await make(snapshots, key, { source }, { boundVolumeSnapshotContentName: content, readyToUse: true });
}

const refusal = "NotADatabase";
/**
 * As the database's own reconcile, without a pod: it gets to where it is held at once, in two looks where it comes by its hooks, and
 * opens when it is not held.
 */
export async function playDatabase(client: Client, trouble: VdbHold | undefined): Promise<void> {
  const key = { namespace: "shop", name: "orders" };
  const vdb = await client.find(vdbs, key, forever);
  if (vdb === undefined) return;
  const { activeAction, content, held } = vdb.status;
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", message: "as declared", observedGeneration: 1 };
  const ready = (status: "True" | "False") => [
    { type: "Ready", status, reason: status === "True" ? "Ready" : "ActionRunning", ...at },
  ];
  const hold = activeAction?.hold ?? "none";
  if (activeAction !== undefined && hold !== "none") {
    if (held?.hold === hold && held.contentId === content?.id) return;
    const isOnTheWay = hold === "beforeOpen" && !(held?.hold === "beforeHooks" && held.contentId === content?.id);
    const point = isOnTheWay ? "beforeHooks" : hold;
    const answer = {
      uid: activeAction.uid,
      contentId: content?.id ?? "",
      ...(point === trouble
        ? { hold, reason: refusal, message: "there is no database" }
        : { hold: point, reason: null, message: null }),
    };
    await client.patchStatus(vdbs, key, { status: { held: answer, conditions: ready("False") } }, forever);
  } else if (vdb.status.conditions?.[0]?.status !== "True" || held !== undefined || content?.openedTime === undefined) {
    const openedTime = content?.openedTime ?? "2026-01-01T00:00:00Z";
    if (content?.openedTime === undefined && activeAction === undefined && held === undefined) return; // it has never been open
    await client.patchStatus(vdbs, key, { status: { held: null, content: { openedTime }, conditions: ready("True") } }, forever);
  }
}

/** As the snapshot-controller: what is wanted is cut at once, and ready. */
export async function playSnapshots(client: Client): Promise<readonly string[]> {
  const { items } = await client.list(snapshots, {}, forever);
  for (const { metadata } of items) {
    const status = { creationTime: "2026-01-01T00:00:10Z", readyToUse: true, restoreSize: "1Gi" };
    await client.subresource(
      snapshots,
      { namespace: "shop", name: metadata.name },
      { name: "status", verb: "patch", body: { status } },
      forever,
    );
  }
  return items.map(({ metadata }) => metadata.name);
}

/** As the runner in the pod: what has begun under a token is found again; at the second look it has ended. */
async function playPod(
  { command, pod }: ExecRequest,
  begun: string[],
  ended: string[],
  { play, walPosition }: Pick<ActionBench, "play" | "walPosition">,
): Promise<ExecResult> {
  const [, , text = "", , folder = "", , type] = command;
  const answer = { exitCode: 0, stdout: "", stderr: "", truncated: false };
  if (command.length === 3) {
    if (text.includes(`>'`) && text.includes("snapshot-cut")) ended.push("cut");
    if (text.includes("pg_current_wal_insert_lsn")) return { ...answer, stdout: walPosition };
    return { ...answer, stdout: text.includes("PG_VERSION") ? "16\n" : "" };
  }
  const token = `${pod} ${folder.split("/").at(-1)}`;
  if (type === "end") ended.push(token);
  const isNew = !begun.includes(token) && !ended.includes(token);
  if (isNew) begun.push(token);
  const stdout = ended.includes(token) ? "interrupted\n" : isNew ? "running\n" : await play(token);
  return { ...answer, stdout };
}

const quietEvents = (api: Api): Api =>
  interceptApi(api, {
    call: async (call, next) =>
      call.resource.plural === "events" ? { metadata: { resourceVersion: "1" }, items: [] } : await next(),
  });

async function watchLaws(client: Client, kinds: readonly ActionKind[], { broken, seen }: ActionBench): Promise<void> {
  for (const kind of kinds)
    void (async () => {
      const before = new Map<string, ActionObject>();
      for await (const event of client.watch(resourceOf<ActionKind>(kind), { resourceVersion: "0" }, forever)) {
        if (event.type === "bookmark") continue;
        const { uid, name } = event.object.metadata;
        broken.push(...brokenLaws(event.object, before.get(uid)));
        before.set(uid, event.object);
        const phases = seen.get(name) ?? [];
        if (phases.at(-1) !== event.object.status.phase) seen.set(name, [...phases, event.object.status.phase]);
      }
    })();
}

export const ended = (bench: ActionBench, name: string, kind: ActionKind) => async () => isFinished(await bench.get(kind, name));
