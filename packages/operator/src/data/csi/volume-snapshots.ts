import { type Client, defineResource, isApiError, type KubeObject } from "kube-runtime";

export interface VolumeSnapshot extends KubeObject {
  readonly spec: {
    readonly volumeSnapshotClassName?: string;
    /** One of the two. */
    readonly source: { readonly persistentVolumeClaimName?: string; readonly volumeSnapshotContentName?: string };
  };
  readonly status?: {
    readonly boundVolumeSnapshotContentName?: string;
    readonly creationTime?: string;
    readonly readyToUse?: boolean;
    readonly restoreSize?: string;
    readonly error?: { readonly message?: string };
  };
}
export interface VolumeSnapshotContent extends KubeObject {
  readonly spec: {
    readonly driver: string;
    readonly deletionPolicy: "Delete" | "Retain";
    readonly source: { readonly snapshotHandle?: string; readonly volumeHandle?: string };
    readonly volumeSnapshotRef: { readonly namespace?: string; readonly name?: string };
    readonly volumeSnapshotClassName?: string;
    readonly sourceVolumeMode?: string;
  };
  readonly status?: { readonly snapshotHandle?: string; readonly restoreSize?: number };
}
interface VolumeSnapshotClass extends KubeObject {
  readonly driver: string;
}
const storage = { group: "snapshot.storage.k8s.io", version: "v1" } as const;
export const volumeSnapshots = defineResource<VolumeSnapshot>({
  ...storage,
  kind: "VolumeSnapshot",
  plural: "volumesnapshots",
  namespaced: true,
});
export const volumeSnapshotContents = defineResource<VolumeSnapshotContent>({
  ...storage,
  kind: "VolumeSnapshotContent",
  plural: "volumesnapshotcontents",
  namespaced: false,
});
export const volumeSnapshotClasses = defineResource<VolumeSnapshotClass>({
  ...storage,
  kind: "VolumeSnapshotClass",
  plural: "volumesnapshotclasses",
  namespaced: false,
});

const isDefault = ({ metadata: { annotations } }: KubeObject): boolean =>
  annotations?.["snapshot.storage.kubernetes.io/is-default-class"] === "true";

/** The class for a driver: the default one of several, else the first by name. None where the cluster knows no snapshots. */
export async function snapshotClassFor(client: Client, driver: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { items } = await client.list(volumeSnapshotClasses, {}, signal);
    const own = items
      .filter((one) => one.driver === driver)
      .toSorted((a, b) => Number(isDefault(b)) - Number(isDefault(a)) || (a.metadata.name < b.metadata.name ? -1 : 1));
    return own[0]?.metadata.name;
  } catch (error) {
    if (isApiError(error, "notFound")) return undefined;
    throw error;
  }
}

/** On a VolumeSnapshot: the uid of the action that took it. The action does not own it: it outlives the action. */
export const actionLabel = "actions.delphix.com/action-uid";
/** On the same: the uid of the database that it is of. */
export const snapshotOfLabel = "postgresvdb.core.delphix.com/snapshot-of";

/** On the same: how far the WAL of the database had come just before it was taken. Absent: its server did not say. */
export const walPositionAnnotation = "postgresvdb.core.delphix.com/wal-position";

/** None where the cluster knows no snapshots. */
export async function snapshotsIn(
  client: Client,
  where: { readonly namespace: string; readonly labelSelector?: string },
  signal: AbortSignal,
): Promise<readonly VolumeSnapshot[]> {
  try {
    return (await client.list(volumeSnapshots, where, signal)).items;
  } catch (error) {
    if (isApiError(error, "notFound")) return [];
    throw error;
  }
}

/** Those that actions have taken of a database, in any state. */
export async function snapshotsOf(
  client: Client,
  { namespace, uid }: { readonly namespace: string; readonly uid: string },
  signal: AbortSignal,
): Promise<readonly VolumeSnapshot[]> {
  return await snapshotsIn(client, { namespace, labelSelector: `${snapshotOfLabel}=${uid}` }, signal);
}

/** A VolumeSnapshot that can be used. */
export interface Taken {
  readonly name: string;
  readonly time: string;
  readonly walPosition?: string;
}

/** Pure: those that can be used and were taken since then, the newest first. */
export const takenSince = (snapshots: readonly VolumeSnapshot[], since: string): readonly Taken[] =>
  snapshots
    .flatMap(({ metadata: { name, annotations }, status }): readonly Taken[] => {
      const { [walPositionAnnotation]: walPosition } = annotations ?? {};
      if (status?.readyToUse !== true || status.creationTime === undefined) return [];
      return [{ name, time: status.creationTime, ...(walPosition === undefined ? {} : { walPosition }) }];
    })
    .filter(({ time }) => Date.parse(time) >= Date.parse(since))
    .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time));
