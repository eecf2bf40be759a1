import { decodeSnapshotRow } from "../catalogue/rows.ts";
import type { JobKind } from "./job-kind.ts";

/** DSOURCE_DELETE: a dSource and its snapshots go away; production is not asked and not touched. */
export const deleteDSource: JobKind = {
  run: async ({ catalogue, pool, job, failpoint }) => {
    for (const { id } of catalogue.all(decodeSnapshotRow, "SELECT * FROM snapshot WHERE dataset_id = ?", job.target_id)) {
      await pool.remove(`snapshots/${id}`);
      await pool.remove(`work/${id}`);
      catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
    }
    await failpoint("DSOURCE_DELETE:removed");
    return () => catalogue.run("DELETE FROM dsource WHERE id = ?", job.target_id);
  },
  undo: async ({ catalogue, job }, failure) => {
    // Linked is what has a first snapshot.
    return () =>
      catalogue.run(
        `UPDATE dsource SET last_error = ?1, state = CASE
           WHEN EXISTS (SELECT 1 FROM snapshot WHERE dataset_id = dsource.id AND state = 'ready') THEN 'linked' ELSE 'linking' END
         WHERE id = ?2`,
        failure,
        job.target_id,
      );
  },
};
