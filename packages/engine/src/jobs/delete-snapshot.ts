import type { JobKind } from "./job-kind.ts";

/** SNAPSHOT_DELETE: clones made of it stay, they share blocks with it, not the folder. */
export const deleteSnapshot: JobKind = {
  run: async ({ catalogue, pool, job }) => {
    const id = String(job.parameters["snapshotId"]);
    await pool.remove(`snapshots/${id}`);
    return () => catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
  },
  undo: async ({ catalogue, pool, job }) => {
    const id = String(job.parameters["snapshotId"]);
    const untouched = await pool.has(`snapshots/${id}`);
    return () => {
      if (untouched) catalogue.run("UPDATE snapshot SET state = 'ready' WHERE id = ?", id);
    };
  },
};
