import type { PostgresRefresh, PostgresRewind, VDBRefresh, VDBRewind } from "@vdb/api";
import { done } from "kube-runtime";
import { ActionFailed } from "../../data/action-failed.ts";
import { type Change, changeText, currentOf, vdbIn } from "../content/change.ts";
import { chooseSnapshot, type Wanted } from "../content/choose.ts";
import { type ActionContext, nameOfTarget } from "../context.ts";
import { turnVdb } from "../hold.ts";
import { snapshotsByActions, volumeSnapshotContents, volumeSnapshots } from "../snapshot/volume-snapshots.ts";
import type { ActionStep } from "../step.ts";

export type ReplaceContext = ActionContext<VDBRefresh | PostgresRefresh | VDBRewind | PostgresRewind>;

/**
 * Finds the data that the database gets, while the old database answers: a refusal costs no downtime. In DCT nothing can be made
 * beforehand: the change itself comes after the stop.
 */
export function prepareContent(change: Wanted["change"]): ActionStep<ReplaceContext> {
  return {
    name: "prepare-content",
    intend: async (ctx, signal) => await choose(ctx, change, signal), // it has no effect but what is recorded of it
    look: async (_, intent) => intent,
    begin: async (_, intent) => intent,
    end: async () => done(),
  };
}

/** The change that prepareContent has chosen. */
export function chosenIn({ run }: ActionContext): string {
  const effect = run.status.steps?.find(({ name }) => name === "prepare-content")?.effect;
  if (effect === undefined) throw new TypeError("prepare-content has recorded nothing");
  return effect;
}

async function choose(ctx: ReplaceContext, verb: Wanted["change"], signal: AbortSignal): Promise<string> {
  const { content, previous, delphixID: id = "" } = turnVdb(ctx).status;
  const { snapshotRef: ref } = ctx.action.spec;
  return await ctx.world.dct.call(async (dct) => {
    const vdb = await vdbIn(dct, id, signal);
    if (vdb.is_locked === true) throw new ActionFailed("StorageFailed", `the VDB ${vdb.name ?? id} is locked in DCT: unlock it`);
    const before = await currentOf(dct, id, signal);
    if (ref?.type === "previous") {
      // After a change that was taken back, what DCT calls previous is the data that failed.
      const timeflow = previous?.timeflow ?? vdb.previous_timeflow_id;
      if (previous === undefined || timeflow === undefined)
        throw new ActionFailed("SnapshotNotFound", `${nameOfTarget(ctx)} has no previous data`);
      const { dataTimestamp: timestamp } = previous;
      ctx.run.status.snapshot = {
        type: "previous",
        name: previous.id,
        ...(timestamp === undefined ? {} : { timestamp }),
        readyToUse: true,
      };
      return changeText({ verb: "switch", vdb: id, to: timeflow, before });
    }
    const handle = ref?.type === "volume-snapshot" ? await handleOf(ctx, ref.name ?? "", signal) : undefined;
    const takenOpen = verb === "rewind" && ref === undefined ? await ownHandles(ctx, signal) : new Set<string>();
    const snapshot = await chooseSnapshot(
      dct,
      vdb,
      { change: verb, ref, handle, openedTime: content?.openedTime, takenOpen },
      signal,
    );
    ctx.run.status.snapshot = snapshot;
    return changeText({ verb, vdb: id, to: snapshot.id, before } satisfies Change);
  }, signal);
}

/** The DCT snapshot behind a VolumeSnapshot in the database's namespace. */
async function handleOf(
  { run: { client }, target: { namespace } }: ReplaceContext,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const snapshot = await client.find(volumeSnapshots, { namespace, name }, signal);
  if (snapshot === undefined)
    throw new ActionFailed("SnapshotNotFound", `there is no VolumeSnapshot ${name} in the namespace ${namespace}`);
  const { boundVolumeSnapshotContentName: bound, readyToUse } = snapshot.status ?? {};
  const content = bound === undefined ? undefined : await client.find(volumeSnapshotContents, { name: bound }, signal);
  const handle = content?.status?.snapshotHandle;
  if (handle === undefined || readyToUse !== true)
    throw new ActionFailed("SnapshotNotUsable", `VolumeSnapshot ${name} is not ready to use`);
  if (content?.spec.driver === "defs.csi.delphix.com") return handle;
  throw new ActionFailed(
    "SnapshotNotUsable",
    `VolumeSnapshot ${name} is of the driver ${content?.spec.driver}; this database takes those of defs.csi.delphix.com`,
  );
}

/** The DCT snapshots that VDBSnapshots and PostgresSnapshots have taken of this database: they take none with a shut gate. */
async function ownHandles(
  { run: { client }, target: { namespace } }: ReplaceContext,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const taken = await snapshotsByActions(client, namespace, signal);
  const contents = await Promise.all(
    taken.map(async ({ status }) => {
      const name = status?.boundVolumeSnapshotContentName;
      return name === undefined ? undefined : await client.find(volumeSnapshotContents, { name }, signal);
    }),
  );
  return new Set(contents.flatMap((content) => content?.status?.snapshotHandle ?? []));
}

/** Whether the state that was chosen was taken while the gate was open, so that hooks have run on it. To be asked before the swap. */
export async function isTakenOpen(ctx: ReplaceContext, signal: AbortSignal): Promise<boolean> {
  const { content, previous } = turnVdb(ctx).status;
  const { type, id = "", timestamp } = ctx.run.status.snapshot ?? {};
  if (type === "previous") return previous?.openedTime !== undefined;
  const { openedTime } = content ?? {};
  const since = openedTime !== undefined && timestamp !== undefined && Date.parse(timestamp) >= Date.parse(openedTime);
  return since || (await ownHandles(ctx, signal)).has(id);
}
