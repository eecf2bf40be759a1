import { decodeSnapshotRow } from "../catalogue/rows.ts";
import type { JobKind } from "./job-kind.ts";

/** DSOURCE_DELETE: a dSource and its snapshots go away; production is not asked and not touched. */
export const deleteDSource: JobKind = {
  run: async ({ catalogue, pool, job, seam }) => {
    for (const { id } of catalogue.all(decodeSnapshotRow, "SELECT * FROM snapshot WHERE dataset_id = ?", job.target_id)) {
      await pool.remove(`snapshots/${id}`);
      await pool.remove(`work/${id}`);
      catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
    }
    await seam("DSOURCE_DELETE:removed");
    return () => catalogue.run("DELETE FROM dsource WHERE id = ?", job.target_id);
  },
  undo: async ({ catalogue, job }, failure) => {
    return () => catalogue.run("UPDATE dsource SET state = 'linked', last_error = ? WHERE id = ?", failure, job.target_id);
  },
};
