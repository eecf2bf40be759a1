import { decodeSnapshotRow } from "../catalogue/rows.ts";
import type { JobKind } from "./job-kind.ts";

/**
 * DB_DELETE: a VDB and its snapshots go away. Clones made of them stay: they share blocks, not folders. The VDB goes first, so
 * that a failure before anything was removed leaves it as it was.
 */
export const deleteVdb: JobKind = {
  run: async ({ catalogue, pool, job, failpoint }) => {
    await pool.remove(`vdbs/${job.target_id}`);
    await pool.remove(`work/${job.target_id}`);
    await failpoint("DB_DELETE:removed");
    for (const { id } of catalogue.all(decodeSnapshotRow, "SELECT * FROM snapshot WHERE dataset_id = ?", job.target_id)) {
      await pool.remove(`snapshots/${id}`);
    }
    return () => {
      catalogue.run("DELETE FROM snapshot WHERE dataset_id = ?", job.target_id);
      catalogue.run("DELETE FROM vdb WHERE id = ?", job.target_id);
    };
  },
  undo: async ({ catalogue, pool, job }) => {
    const untouched = await pool.has(`vdbs/${job.target_id}`);
    return () => {
      if (untouched) catalogue.run("UPDATE vdb SET state = 'ready' WHERE id = ?", job.target_id);
    };
  },
};
