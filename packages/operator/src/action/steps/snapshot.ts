import type { PostgresSnapshot, VDBSnapshot } from "@vdb/api";
import { beginsNothing, done, type Outcome } from "kube-runtime";
import { isOutcome } from "../../data/content-store.ts";
import { walPosition } from "../../vdb/pod/wal-position.ts";
import type { ActionContext } from "../context.ts";
import { answeringPod } from "../database.ts";
import { begunBy, storeOf } from "../hold.ts";
import type { ActionStep } from "../step.ts";

export type SnapshotContext = ActionContext<VDBSnapshot | PostgresSnapshot>;

/** Takes the snapshot; done when it is cut. One that is not when the action is taken back is deleted. */
export const takeSnapshot: ActionStep<SnapshotContext> = {
  name: "snapshot",
  intend: async (ctx, signal) => {
    const { store, work } = storeOf(ctx);
    return await store.snapshot.intend(work, signal);
  },
  look: begunBy((store) => store.snapshot).look,
  begin: async (ctx, intent, signal) => {
    const { store, work } = storeOf(ctx);
    const pod = answeringPod(ctx, work.vdb);
    const position = pod === undefined ? undefined : await walPosition(ctx.world, pod, signal);
    return await store.snapshot.begin({ ...work, walPosition: position }, intent, signal);
  },
  end: async (ctx, effect, signal) => {
    const { store, work } = storeOf(ctx);
    const outcome = await store.snapshot.end(work, effect, signal);
    if (outcome.kind === "done") ctx.run.status.snapshot = store.snapshot.named(work, effect);
    return outcome;
  },
  abandon: async (ctx, effect, signal) => await discardSnapshot(ctx, effect, signal),
};

/** Waits until a database can use the snapshot, and writes down its names. */
export const snapshotReady: ActionStep<SnapshotContext> = {
  name: "snapshot-ready",
  intend: (ctx) => effectIn(ctx) ?? "",
  ...beginsNothing, // it only waits
  end: async (ctx, effect, signal) => {
    const { store, work } = storeOf(ctx);
    const answer = await store.snapshot.ready(work, effect, signal);
    if (isOutcome(answer)) return answer;
    ctx.run.status.snapshot = answer;
    return done({ message: `the snapshot ${answer.name ?? ""} is ready` });
  },
};

/** What the snapshot step has had; undefined: nothing yet. */
export const effectIn = ({ run }: ActionContext): string | undefined =>
  run.status.steps?.find(({ name }) => name === takeSnapshot.name)?.effect;

export async function discardSnapshot(ctx: SnapshotContext, effect: string, signal: AbortSignal): Promise<Outcome> {
  const { store, work } = storeOf(ctx);
  const outcome = await store.snapshot.discard(work, effect, signal);
  if (outcome.kind === "done") delete ctx.run.status.snapshot;
  return outcome;
}
