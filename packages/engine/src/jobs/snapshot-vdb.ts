import { dataFolderIn } from "../pool/data-folder.ts";
import { requireRoom } from "../pool/pool.ts";
import type { JobContext, JobKind } from "./job-kind.ts";

const cloneBytes = 2 ** 20;
const snapshotIdOf = ({ job }: JobContext): string => String(job.parameters["snapshotId"]);

/** DB_SNAPSHOT: a read-only clone of a VDB as it is at this instant: what a crash would leave, and PostgreSQL recovers from. */
export const snapshotVdb: JobKind = {
  run: async (context) => {
    const { catalogue, pool, postgres, job, seam, signal } = context;
    const id = snapshotIdOf(context);
    const place = `snapshots/${id}`;
    if (!(await pool.has(place))) {
      await requireRoom(pool, await context.reserveBytes(), cloneBytes, `a snapshot of VDB ${job.target_name}`);
      catalogue.run("UPDATE snapshot SET timestamp = ? WHERE id = ?", new Date().toISOString(), id);
      await pool.clone(`vdbs/${job.target_id}`, place, "readOnly");
    }
    await seam("DB_SNAPSHOT:cloned");
    const { checkpointLsn, version } = await postgres.controlData(await dataFolderIn(pool.pathOf(place)), signal);
    return () =>
      catalogue.run(
        "UPDATE snapshot SET state = 'ready', consistency = 'CRASH_CONSISTENT', location = ?, version = ? WHERE id = ?",
        checkpointLsn,
        version,
        id,
      );
  },
  undo: async (context) => {
    const id = snapshotIdOf(context);
    await context.pool.remove(`snapshots/${id}`);
    return () => context.catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
  },
};
