import type { SnapshotStatus } from "@vdb/api";
import { after, done, isApiError, type ObjectKey, type Outcome } from "kube-runtime";
import { managedByLabel, operatorName } from "../../../vdb/names.ts";
import { valueOf } from "../../../vdb/objects/quantity.ts";
import { ActionFailed } from "../../action-failed.ts";
import type { Work } from "../../content-store.ts";
import { ownDriver } from "../../own-driver.ts";
import {
  actionLabel,
  snapshotClassFor,
  snapshotOfLabel,
  type VolumeSnapshot,
  volumeSnapshotContents,
  volumeSnapshots,
  walPositionAnnotation,
} from "../volume-snapshots.ts";
import type { SnapshotWay } from "./snapshot-way.ts";

/** VolumeSnapshots are not watched: the cluster need not know them. */
const lookSeconds = 0.3;
const scheme = "volumesnapshot";

/** A VolumeSnapshot named as the action, in the database's namespace. */
export const byVolumeSnapshot: SnapshotWay = {
  scheme,
  intend: async ({ client, action }, { driver, claim }, signal) => {
    const snapshotClass = driver === undefined ? undefined : await snapshotClassFor(client, driver, signal);
    return snapshotClass === undefined ? undefined : `${scheme} ${action.name} of ${claim} by ${snapshotClass}`;
  },
  look: async (work, intent, signal) => ((await own(work, signal)) === undefined ? undefined : effectOf(intent)),
  begin: async (work, intent, signal) => {
    const [, name = "", , claim = "", , snapshotClass = ""] = intent.split(" ");
    const { namespace, uid } = work.vdb.metadata;
    const labels = { [managedByLabel]: operatorName, [actionLabel]: work.action.uid, [snapshotOfLabel]: uid };
    const known = work.walPosition === undefined ? {} : { annotations: { [walPositionAnnotation]: work.walPosition } };
    const spec = { volumeSnapshotClassName: snapshotClass, source: { persistentVolumeClaimName: claim } };
    try {
      await work.client.create(volumeSnapshots, { metadata: { name, namespace, labels, ...known }, spec }, signal);
    } catch (error) {
      if (!isApiError(error, "alreadyExists") || (await own(work, signal)) === undefined) throw error;
    }
    return effectOf(intent);
  },
  end: async (work, _, signal) => {
    const snapshot = await own(work, signal);
    if (snapshot === undefined)
      throw new ActionFailed("StorageFailed", `VolumeSnapshot ${keyOf(work).name} was deleted while it was taken`);
    return snapshot.status?.creationTime === undefined && snapshot.status?.readyToUse !== true
      ? waitsFor(snapshot, "taken")
      : done();
  },
  named: (work) => ({ type: "volume-snapshot", ...keyOf(work), readyToUse: false }),
  ready: async (work, _, signal) => {
    const snapshot = await own(work, signal);
    if (snapshot === undefined)
      throw new ActionFailed("StorageFailed", `VolumeSnapshot ${keyOf(work).name} was deleted while it was taken`);
    if (snapshot.status?.readyToUse !== true) return waitsFor(snapshot, "ready");
    return await statusOf(work, snapshot, signal);
  },
  discard: async (work, _, signal) => {
    const snapshot = await own(work, signal).catch((error: unknown) => {
      if (error instanceof ActionFailed) return undefined; // somebody else's
      throw error;
    });
    if (snapshot === undefined) return done();
    const { uid } = snapshot.metadata;
    await work.client.delete(volumeSnapshots, keyOf(work), signal, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isApiError(error, "notFound")) throw error;
    });
    return after(lookSeconds, "RollingBack", `VolumeSnapshot ${keyOf(work).name} is being deleted`);
  },
};

const effectOf = (intent: string): string => intent.split(" ").slice(0, 2).join(" ");
const keyOf = ({ vdb, action }: Work): ObjectKey & { readonly namespace: string } => ({
  namespace: vdb.metadata.namespace,
  name: action.name,
});

/** The one that this action took. Throws when another's has its name. */
async function own(work: Work, signal: AbortSignal): Promise<VolumeSnapshot | undefined> {
  const found = await work.client.find(volumeSnapshots, keyOf(work), signal);
  if (found === undefined || found.metadata.labels?.[actionLabel] === work.action.uid) return found;
  throw new ActionFailed(
    "StorageFailed",
    `a VolumeSnapshot ${found.metadata.name} exists in the namespace ${work.vdb.metadata.namespace} and was not taken by this action; apply the action under another name`,
  );
}

function waitsFor({ metadata: { name }, status }: VolumeSnapshot, what: string): Outcome {
  const error = status?.error?.message;
  return error === undefined
    ? after(lookSeconds, "Running", `VolumeSnapshot ${name} is not ${what} yet`)
    : after(5, "StorageFailed", `VolumeSnapshot ${name} is not ${what} yet: ${error}`);
}

async function statusOf({ client }: Work, { metadata, status }: VolumeSnapshot, signal: AbortSignal): Promise<SnapshotStatus> {
  const { boundVolumeSnapshotContentName: content, creationTime, restoreSize } = status ?? {};
  const bound = content === undefined ? undefined : await client.find(volumeSnapshotContents, { name: content }, signal);
  const isOurs = bound?.spec.driver === ownDriver;
  const sizeBytes = valueOf(restoreSize);
  return {
    type: "volume-snapshot",
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(isOurs && bound.status?.snapshotHandle !== undefined ? { id: bound.status.snapshotHandle } : {}),
    ...(creationTime === undefined ? {} : { timestamp: creationTime }),
    ...(sizeBytes === undefined ? {} : { sizeBytes: Math.round(sizeBytes) }),
    readyToUse: true,
  };
}
