import type { JobContext, JobKind } from "./job-kind.ts";
import { requireVdb } from "./require-vdb.ts";
import { takeSnapshot } from "./take-snapshot.ts";

const snapshotIdOf = ({ job }: JobContext): string => String(job.parameters["snapshotId"]);

/** DB_SNAPSHOT: a read-only clone of a VDB as it is at this instant. */
export const snapshotVdb: JobKind = {
  run: async (context) => {
    requireVdb(context);
    const { job, failpoint } = context;
    const record = await takeSnapshot(context, job.target_id, snapshotIdOf(context), job.target_name);
    await failpoint("DB_SNAPSHOT:cloned");
    return record;
  },
  undo: async (context) => {
    const id = snapshotIdOf(context);
    await context.pool.remove(`snapshots/${id}`);
    return () => context.catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
  },
};
