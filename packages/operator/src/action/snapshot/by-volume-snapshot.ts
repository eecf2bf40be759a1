import type { SnapshotStatus } from "@vdb/api";
import { after, done, isApiError, type ObjectKey, type Outcome } from "kube-runtime";
import { ActionFailed } from "../../data/action-failed.ts";
import { valueOf } from "../../vdb/objects/quantity.ts";
import type { ActionContext } from "../context.ts";
import type { SnapshotStore } from "./store.ts";
import {
  actionLabel,
  snapshotClassFor,
  type VolumeSnapshot,
  volumeSnapshotContents,
  volumeSnapshots,
} from "./volume-snapshots.ts";

/** VolumeSnapshots are not watched: the cluster need not know them. */
const lookSeconds = 0.3;
const scheme = "volumesnapshot";

/** A VolumeSnapshot named as the action, in the database's namespace. */
export const byVolumeSnapshot: SnapshotStore = {
  scheme,
  intend: async ({ run, action }, { driver, claim }, signal) => {
    const snapshotClass = driver === undefined ? undefined : await snapshotClassFor(run.client, driver, signal);
    return snapshotClass === undefined ? undefined : `${scheme} ${action.metadata.name} of ${claim} by ${snapshotClass}`;
  },
  look: async (ctx, intent, signal) => ((await own(ctx, signal)) === undefined ? undefined : effectOf(intent)),
  begin: async (ctx, intent, signal) => {
    const [, name = "", , claim = "", , snapshotClass = ""] = intent.split(" ");
    const { namespace } = ctx.target;
    const labels = { "app.kubernetes.io/managed-by": "delphix-operator", [actionLabel]: ctx.action.metadata.uid };
    const spec = { volumeSnapshotClassName: snapshotClass, source: { persistentVolumeClaimName: claim } };
    try {
      await ctx.run.client.create(volumeSnapshots, { metadata: { name, namespace, labels }, spec }, signal);
    } catch (error) {
      if (!isApiError(error, "alreadyExists") || (await own(ctx, signal)) === undefined) throw error;
    }
    return effectOf(intent);
  },
  cut: async (ctx, _, signal) => {
    const snapshot = await own(ctx, signal);
    if (snapshot === undefined)
      throw new ActionFailed("StorageFailed", `VolumeSnapshot ${keyOf(ctx).name} was deleted while it was taken`);
    return snapshot.status?.creationTime === undefined && snapshot.status?.readyToUse !== true
      ? waitsFor(snapshot, "taken")
      : done();
  },
  named: ({ action, target: { namespace } }) => ({
    type: "volume-snapshot",
    name: action.metadata.name,
    namespace,
    readyToUse: false,
  }),
  ready: async (ctx, _, signal) => {
    const snapshot = await own(ctx, signal);
    if (snapshot === undefined)
      throw new ActionFailed("StorageFailed", `VolumeSnapshot ${keyOf(ctx).name} was deleted while it was taken`);
    if (snapshot.status?.readyToUse !== true) return waitsFor(snapshot, "ready");
    return await statusOf(ctx, snapshot, signal);
  },
  discard: async (ctx, _, signal) => {
    const snapshot = await own(ctx, signal).catch((error: unknown) => {
      if (error instanceof ActionFailed) return undefined; // somebody else's
      throw error;
    });
    if (snapshot === undefined) return done();
    const { uid } = snapshot.metadata;
    await ctx.run.client.delete(volumeSnapshots, keyOf(ctx), signal, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isApiError(error, "notFound")) throw error;
    });
    return after(lookSeconds, "RollingBack", `VolumeSnapshot ${keyOf(ctx).name} is being deleted`);
  },
};

const effectOf = (intent: string): string => intent.split(" ").slice(0, 2).join(" ");
const keyOf = ({ target: { namespace }, action }: ActionContext): ObjectKey => ({ namespace, name: action.metadata.name });

/** The one that this action took. Throws when another's has its name. */
async function own(ctx: ActionContext, signal: AbortSignal): Promise<VolumeSnapshot | undefined> {
  const found = await ctx.run.client.find(volumeSnapshots, keyOf(ctx), signal);
  if (found === undefined || found.metadata.labels?.[actionLabel] === ctx.action.metadata.uid) return found;
  throw new ActionFailed(
    "StorageFailed",
    `a VolumeSnapshot ${found.metadata.name} exists in the namespace ${ctx.target.namespace} and was not taken by this action; apply the action under another name`,
  );
}

function waitsFor({ metadata: { name }, status }: VolumeSnapshot, what: string): Outcome {
  const error = status?.error?.message;
  return error === undefined
    ? after(lookSeconds, "Running", `VolumeSnapshot ${name} is not ${what} yet`)
    : after(5, "StorageFailed", `VolumeSnapshot ${name} is not ${what} yet: ${error}`);
}

async function statusOf(
  { run }: ActionContext,
  { metadata, status }: VolumeSnapshot,
  signal: AbortSignal,
): Promise<SnapshotStatus> {
  const { boundVolumeSnapshotContentName: content, creationTime, restoreSize } = status ?? {};
  const bound = content === undefined ? undefined : await run.client.find(volumeSnapshotContents, { name: content }, signal);
  const isOurs = bound?.spec.driver === "defs.csi.delphix.com";
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
