import { status } from "@grpc/grpc-js";
import { contains, type DctClient, findVdb, isQuotable } from "@vdb/dct";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import { removeFromDct } from "../controller/remove-from-dct.ts";
import type { Call, Handler } from "../grpc/handler.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { namedSnapshots, nameKey } from "./names.ts";

/** Deletes a snapshot in DCT and waits until it is gone. One that is not there counts as deleted. */
export const deleteSnapshot =
  ({ dct, locks }: Pick<ControllerVolumes, "dct" | "locks">): Handler =>
  async (message, call) => {
    const id = message.string("snapshotId");
    if (id === "") throw invalidArgument("snapshot_id is missing");
    if (!isQuotable(id)) return {}; // no id of DCT looks like that
    await locks.run(id, call.signal, () =>
      dct.call(async (client) => {
        await remove(client, id, call);
        // Last: while a deletion is refused, the name keeps protecting the snapshot from the deletion of its VDB.
        await forgetName(client, id, call.signal);
      }, call.signal),
    );
    return {};
  };

async function remove(dct: DctClient, id: string, call: Call): Promise<void> {
  const { signal } = call;
  await removeFromDct(
    dct,
    {
      id,
      find: async () => {
        const snapshot = await dct.getSnapshot(id, { signal });
        if (snapshot !== undefined) await assertOfVolume(dct, id, snapshot.dataset_id, signal);
        return snapshot === undefined ? undefined : `snapshot ${id}`;
      },
      begin: () => dct.deleteSnapshot(id, { signal }),
    },
    call,
  );
}

/** A dSource's snapshots are the engine's to keep and to delete. */
async function assertOfVolume(dct: DctClient, id: string, datasetId: string | undefined, signal: AbortSignal): Promise<void> {
  if (datasetId === undefined || (await findVdb(dct, datasetId, signal)) !== undefined) return;
  if ((await dct.getVdb(datasetId, { signal })) !== undefined) return;
  throw new RpcError(
    status.FAILED_PRECONDITION,
    `snapshot ${id} is one of ${datasetId}, which is no VDB: set deletionPolicy: Retain on its VolumeSnapshotContent`,
  );
}

async function forgetName(dct: Pick<DctClient, "searchVdbs" | "untagVdb">, id: string, signal: AbortSignal): Promise<void> {
  for (const vdb of await dct.searchVdbs(contains("tags.value", id), { signal }))
    for (const { name } of namedSnapshots(vdb).filter((one) => one.id === id))
      await dct.untagVdb(vdb.id, nameKey(name), { signal });
}
