import type { ActionPlan } from "@vdb/api";
import { takenSince, type VolumeSnapshot } from "../data/csi/volume-snapshots.ts";
import { walBytesBetween, walPosition } from "../vdb/pod/wal-position.ts";
import { type ActionContext, vdbOf } from "./context.ts";
import { answeringPod } from "./database.ts";

type Wal = Pick<NonNullable<ActionPlan["lost"]>, "walBytes" | "walUnknown">;

/** A plan, and the database's VolumeSnapshots that it was made of. */
export interface Foreseen {
  readonly plan: ActionPlan;
  readonly snapshots: readonly VolumeSnapshot[];
}

/** A plan by which something is lost tells how much of it no snapshot has. Nothing is decided by it. */
export async function withWal(ctx: ActionContext, { plan, snapshots }: Foreseen, signal: AbortSignal): Promise<ActionPlan> {
  if (plan.lost === undefined) return plan;
  return { ...plan, lost: { ...plan.lost, ...(await walSinceSnapshot(ctx, snapshots, signal)) } };
}

/** What the server has written since an action last took a snapshot of the present data. */
async function walSinceSnapshot(ctx: ActionContext, snapshots: readonly VolumeSnapshot[], signal: AbortSignal): Promise<Wal> {
  const vdb = vdbOf(ctx);
  const { openedTime } = vdb?.status.content ?? {};
  const [last] = openedTime === undefined ? [] : takenSince(snapshots, openedTime);
  if (vdb === undefined || last === undefined)
    return { walUnknown: "no action has taken a VolumeSnapshot of this data since clients were let in" };
  if (last.walPosition === undefined)
    return { walUnknown: `the server did not say how far it was when VolumeSnapshot ${last.name} was taken` };
  const pod = answeringPod(ctx, vdb);
  const position = pod === undefined ? undefined : await walPosition(ctx.world, pod, signal);
  if (position === undefined) return { walUnknown: "the server does not answer" };
  const walBytes = walBytesBetween(last.walPosition, position);
  return walBytes < 0 ? { walUnknown: `the server is not as far as when VolumeSnapshot ${last.name} was taken` } : { walBytes };
}
