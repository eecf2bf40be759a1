import { cleanlyShutDown } from "../link/control-data.ts";
import { dataFolderIn } from "../pool/data-folder.ts";
import { requireFreeSpace } from "../pool/pool.ts";
import type { JobContext, Result } from "./job-kind.ts";

/** A clone changes pages of the file system's trees before it holds any data of its own. */
const cloneBytes = 2 ** 20;

/**
 * Makes the snapshot of a VDB whose row, in state `creating`, is the intent: a read-only clone of its folder as it is at this
 * instant. Of a VDB that runs that is what a crash would leave, and PostgreSQL recovers from. Safe to call again after a crash.
 */
export async function takeSnapshot(context: JobContext, vdbId: string, snapshotId: string, vdbName: string): Promise<Result> {
  const { catalogue, pool, postgres, signal } = context;
  const place = `snapshots/${snapshotId}`;
  if (!(await pool.has(place))) {
    await requireFreeSpace(pool, await context.reserveBytes(), cloneBytes, `a snapshot of VDB ${vdbName}`);
    catalogue.run("UPDATE snapshot SET timestamp = ? WHERE id = ?", new Date().toISOString(), snapshotId);
    await pool.clone(`vdbs/${vdbId}`, place, "readOnly");
  }
  const { state, checkpointLsn, version } = await postgres.controlData(await dataFolderIn(pool.pathOf(place)), signal);
  const consistency = state === cleanlyShutDown ? "CONSISTENT" : "CRASH_CONSISTENT";
  return () =>
    catalogue.run(
      "UPDATE snapshot SET state = 'ready', consistency = ?, location = ?, version = ? WHERE id = ?",
      consistency,
      checkpointLsn,
      version,
      snapshotId,
    );
}
