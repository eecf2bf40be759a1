/** What the snapshot-controller and a CSI driver's snapshotter do, played on a real API server, in all namespaces. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, customResourceDefinitions, isApiError } from "kube-runtime";
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../src/data/csi/volume-snapshots.ts";
import { until } from "./until.ts";

export interface FakeSnapshots extends AsyncDisposable {
  /** The snapshots that the storage has taken, by the claim's `namespace/name`. */
  readonly taken: readonly string[];
}

/** When every snapshot is taken, unless a test says otherwise. */
export const snapshotTime = "2026-01-02T00:00:00Z";

/** The kinds as the API server has to know them, whatever they contain. */
export async function defineSnapshots(client: Client, signal: AbortSignal): Promise<void> {
  for (const [kind, scope] of [
    ["VolumeSnapshot", "Namespaced"],
    ["VolumeSnapshotContent", "Cluster"],
    ["VolumeSnapshotClass", "Cluster"],
  ] as const) {
    const [group, plural] = [
      "snapshot.storage.k8s.io",
      kind === "VolumeSnapshotClass" ? "volumesnapshotclasses" : `${kind.toLowerCase()}s`,
    ];
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const subresources = kind === "VolumeSnapshotClass" ? {} : { subresources: { status: {} } };
    const versions = [{ name: "v1", served: true, storage: true, schema, ...subresources }];
    const annotations = { "api-approved.kubernetes.io": "unapproved, for a test" };
    const spec = { group, scope, names: { kind, plural }, versions };
    await client.create(customResourceDefinitions, { metadata: { name: `${plural}.${group}`, annotations }, spec }, signal);
  }
  await until("VolumeSnapshots are served", async () => await client.list(volumeSnapshots, {}, signal));
  await until("their contents are served", async () => await client.list(volumeSnapshotContents, {}, signal));
  await until("their classes are served", async () => await client.list(volumeSnapshotClasses, {}, signal));
}

export function playSnapshots(
  client: Client,
  driver: string,
  takenAt: (snapshot: VolumeSnapshot) => string = () => snapshotTime,
): FakeSnapshots {
  const end = new AbortController();
  const taken: string[] = [];
  const loop = (async () => {
    while (!end.signal.aborted) {
      await turn(client, { driver, takenAt }, taken, end.signal).catch((error: unknown) => {
        if (!end.signal.aborted && !isApiError(error, "conflict", "notFound", "alreadyExists", "unavailable")) throw error;
      });
      await sleep(15, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  return {
    taken,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await loop.catch(() => undefined);
    },
  };
}

interface Driver {
  readonly driver: string;
  readonly takenAt: (snapshot: VolumeSnapshot) => string;
}

async function turn(client: Client, driver: Driver, taken: string[], signal: AbortSignal): Promise<void> {
  const { items: snapshots } = await client.list(volumeSnapshots, {}, signal);
  const { items: contents } = await client.list(volumeSnapshotContents, {}, signal);
  for (const snapshot of snapshots)
    if (snapshot.status?.readyToUse !== true) await bind(client, driver, snapshot, contents, taken, signal);
  for (const { metadata, spec } of contents) {
    const isUsed = snapshots.some(({ metadata: { namespace, name } }) => isOf(spec.volumeSnapshotRef, namespace, name));
    // A content that was made first waits for its VolumeSnapshot.
    if (!isUsed && spec.deletionPolicy === "Delete") await client.delete(volumeSnapshotContents, { name: metadata.name }, signal);
  }
}

const isOf = (
  { namespace, name }: VolumeSnapshotContent["spec"]["volumeSnapshotRef"],
  ...[ofNamespace, ofName]: readonly (string | undefined)[]
): boolean => namespace === ofNamespace && name === ofName;

async function bind(
  client: Client,
  { driver, takenAt }: Driver,
  snapshot: VolumeSnapshot,
  contents: readonly VolumeSnapshotContent[],
  taken: string[],
  signal: AbortSignal,
): Promise<void> {
  const {
    metadata: { namespace = "", name, uid },
    spec: { source },
  } = snapshot;
  const contentName = source.volumeSnapshotContentName ?? `snapcontent-${uid}`;
  const content = contents.find(({ metadata }) => metadata.name === contentName);
  if (content === undefined && source.persistentVolumeClaimName === undefined) return;
  if (content === undefined) {
    const spec = {
      driver,
      deletionPolicy: "Delete" as const,
      source: { volumeHandle: source.persistentVolumeClaimName ?? "" },
      volumeSnapshotRef: { namespace, name },
    };
    await client.create(volumeSnapshotContents, { metadata: { name: contentName }, spec }, signal);
    taken.push(`${namespace}/${source.persistentVolumeClaimName ?? ""}`);
  }
  const snapshotHandle = content?.spec.source.snapshotHandle ?? `handle-${uid}`;
  await client.patchStatus(volumeSnapshotContents, { name: contentName }, { status: { snapshotHandle } }, signal);
  const status = {
    boundVolumeSnapshotContentName: contentName,
    creationTime: takenAt(snapshot),
    readyToUse: true,
    restoreSize: "1Gi",
  };
  await client.patchStatus(volumeSnapshots, { namespace, name }, { status }, signal);
}
