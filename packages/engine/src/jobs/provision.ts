import { object, string } from "@vdb/dct";
import { snapshotById, vdbById } from "../catalogue/datasets.ts";
import type { VdbRow } from "../catalogue/rows.ts";
import { placeOfTimeflow, placeOfVdb } from "../pool/places.ts";
import { defineJob } from "./define-job.ts";
import { dropTimeflow, fillTimeflow, originOf } from "./fill-timeflow.ts";
import type { JobContext, Result } from "./job-kind.ts";
import { requireVdb } from "./require-vdb.ts";
import { reserveSnapshot } from "./reserve-snapshot.ts";
import { reserveVdb, type WantedVdb } from "./reserve-vdb.ts";
import { dropUnfinished, takeSnapshot } from "./take-snapshot.ts";

const parameters = object({}, { snapshotId: string, originId: string });

/**
 * DB_PROVISION: a writable clone of a snapshot, and a first snapshot of the clone. Where the origin is a VDB without a named
 * snapshot, the job begins with one of it, so that the clone has its data as of now.
 * Intents: the VDB's row, its timeflow's, and those of the snapshots to take, in state `creating`. Effects: the subvolumes of their ids,
 * and the VDB's path. The name is reserved, too: the same request a second time is a conflict, no second VDB.
 */
export const provision = defineJob({
  type: "DB_PROVISION",
  // Jobs that an older engine accepted have reserved no first snapshot, and hold theirs already.
  parameters,
  holds: ({ originId }) => (originId === undefined ? [] : [originId]),
  reserve: ({ catalogue }, wanted: WantedVdb) => {
    const vdb = reserveVdb(catalogue, wanted);
    const snapshotId = reserveSnapshot(catalogue, { dataset: vdb, kind: "VDB", madeBy: "provision" });
    return { targetId: vdb.id, targetName: vdb.name, parameters: { snapshotId, originId: vdb.snapshot_id } };
  },
  run: async (context, { snapshotId }) => {
    const { catalogue, pool, failpoint } = context;
    const vdb = requireVdb(context);
    const recordOrigin = await takeOrigin(context, vdb);
    await failpoint("DB_PROVISION:originTaken");
    await fillTimeflow(context, vdb, vdb.timeflow_id);
    const first = { timeflowId: vdb.timeflow_id, vdbName: vdb.name };
    const recordFirst = snapshotId === undefined ? () => undefined : await takeSnapshot(context, { snapshotId, ...first });
    await failpoint("DB_PROVISION:snapshotted");
    await pool.swap(placeOfVdb(vdb.id), placeOfTimeflow(vdb.timeflow_id));
    return () => {
      recordOrigin();
      recordFirst();
      catalogue.run("UPDATE vdb SET state = 'ready', enabled = 1 WHERE id = ? AND state = 'creating'", vdb.id);
      catalogue.run(
        `UPDATE timeflow SET state = 'ready', (parent_timestamp, parent_location) =
           (SELECT timestamp, location FROM snapshot WHERE id = timeflow.snapshot_id) WHERE id = ?`,
        vdb.timeflow_id,
      );
    };
  },
  undo: async (context, { snapshotId }) => {
    const { catalogue, pool, job } = context;
    await pool.remove(placeOfVdb(job.target_id));
    const vdb = vdbById(catalogue, job.target_id);
    const drops: Result[] = [];
    if (vdb !== undefined)
      drops.push(await dropUnfinished(context, vdb.snapshot_id), await dropTimeflow(context, vdb.timeflow_id));
    if (snapshotId !== undefined) drops.push(await dropUnfinished(context, snapshotId));
    return () => {
      catalogue.run("DELETE FROM vdb WHERE id = ?", job.target_id);
      for (const drop of drops) drop();
    };
  },
});

/** One that is not ready was reserved for this job: the data of another VDB as of now. */
async function takeOrigin(context: JobContext, vdb: VdbRow): Promise<Result> {
  const { id, state, dataset_id } = originOf(context, vdb.timeflow_id);
  if (state === "ready") return () => undefined;
  const parent = vdbById(context.catalogue, dataset_id);
  const timeflowId = parent?.timeflow_id ?? snapshotById(context.catalogue, id)?.timeflow_id ?? "";
  return await takeSnapshot(context, { snapshotId: id, timeflowId, vdbName: parent?.name ?? dataset_id });
}
