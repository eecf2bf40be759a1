import type { PostgresSnapshot, VDBSnapshot } from "@vdb/api";
import { done, type Outcome, persistentVolumeClaims, persistentVolumes } from "kube-runtime";
import { ActionFailed } from "../../data/action-failed.ts";
import { type ActionContext, nameOfTarget, vdbOf } from "../context.ts";
import { byDct } from "../snapshot/by-dct.ts";
import { byVolumeSnapshot } from "../snapshot/by-volume-snapshot.ts";
import { isOutcome, type SnapshotStore, type Volume } from "../snapshot/store.ts";
import type { ActionStep } from "../step.ts";
import type { ActionWorld } from "../world.ts";

export type SnapshotContext = ActionContext<VDBSnapshot | PostgresSnapshot>;

/** In this order: the first that is a way for the database's volume. */
const storesOf = ({ dct }: ActionWorld): readonly SnapshotStore[] => [byVolumeSnapshot, byDct(dct)];

/** Which store an intent or effect is of. */
function storeOf({ world }: ActionContext, text: string): SnapshotStore {
  const found = storesOf(world).find(({ scheme }) => text.startsWith(`${scheme} `));
  if (found === undefined) throw new TypeError(`no store takes ${text}`);
  return found;
}

/** Takes the snapshot; done when it is cut. One that is not when the action is taken back is deleted. */
export const takeSnapshot: ActionStep<SnapshotContext> = {
  name: "snapshot",
  intend: async (ctx, signal) => {
    const volume = await volumeOf(ctx, signal);
    for (const store of storesOf(ctx.world)) {
      const intent = await store.intend(ctx, volume, signal);
      if (intent !== undefined) return intent;
    }
    const driver = volume.driver === undefined ? "no CSI driver" : `the driver ${volume.driver}`;
    throw new ActionFailed(
      "StorageFailed",
      `the claim ${volume.claim} of ${nameOfTarget(ctx)} is of ${driver}, which has no VolumeSnapshotClass, and DCT has no VDB for it`,
    );
  },
  look: async (ctx, intent, signal) => await storeOf(ctx, intent).look(ctx, intent, signal),
  begin: async (ctx, intent, signal) => await storeOf(ctx, intent).begin(ctx, intent, signal),
  end: async (ctx, effect, signal) => {
    const outcome = await storeOf(ctx, effect).cut(ctx, effect, signal);
    if (outcome.kind === "done") ctx.run.status.snapshot = storeOf(ctx, effect).named(ctx, effect);
    return outcome;
  },
  abandon: async (ctx, effect, signal) => await discardSnapshot(ctx, effect, signal),
};

/** Waits until a database can use the snapshot, and writes down its names. */
export const snapshotReady: ActionStep<SnapshotContext> = {
  name: "snapshot-ready",
  intend: (ctx) => effectIn(ctx) ?? "",
  look: async (_, intent) => intent, // it only waits
  begin: async (_, intent) => intent,
  end: async (ctx, effect, signal) => {
    const answer = await storeOf(ctx, effect).ready(ctx, effect, signal);
    if (isOutcome(answer)) return answer;
    ctx.run.status.snapshot = answer;
    return done({ message: `the snapshot ${answer.name ?? ""} is ready` });
  },
};

/** What the snapshot step has had; undefined: nothing yet. */
export const effectIn = ({ run }: ActionContext): string | undefined =>
  run.status.steps?.find(({ name }) => name === takeSnapshot.name)?.effect;

export async function discardSnapshot(ctx: SnapshotContext, effect: string, signal: AbortSignal): Promise<Outcome> {
  const outcome = await storeOf(ctx, effect).discard(ctx, effect, signal);
  if (outcome.kind === "done") delete ctx.run.status.snapshot;
  return outcome;
}

async function volumeOf(ctx: ActionContext, signal: AbortSignal): Promise<Volume> {
  const { client } = ctx.run;
  const { pvcName = "", delphixID: handle = "" } = vdbOf(ctx)?.status ?? {};
  const claim = await client.find(persistentVolumeClaims, { namespace: ctx.target.namespace, name: pvcName }, signal);
  const name = claim?.spec.volumeName;
  const volume = name === undefined ? undefined : await client.find(persistentVolumes, { name }, signal);
  return { claim: pvcName, driver: volume?.spec.csi?.driver, handle };
}
