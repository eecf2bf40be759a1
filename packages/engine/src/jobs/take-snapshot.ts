import type { Catalogue } from "../catalogue/catalogue.ts";
import { snapshotById, timeflowById } from "../catalogue/datasets.ts";
import { type ControlData, cleanlyShutDown } from "../link/control-data.ts";
import { dataFolderIn } from "../pool/data-folder.ts";
import { draftOf, placeOfSnapshot, placeOfTimeflow } from "../pool/places.ts";
import { type Pool, requireFreeSpace } from "../pool/pool.ts";
import type { JobContext, Result } from "./job-kind.ts";

/** A clone changes pages of the file system's trees before it holds any data of its own. */
export const cloneBytes = 2 ** 20;

interface Wanted {
  readonly snapshotId: string;
  /** Whose bytes: of a VDB its current one, as of the instant of the clone. */
  readonly timeflowId: string;
  readonly vdbName: string;
}

/**
 * Makes the snapshot whose row, in state `creating`, is the intent: a read-only clone of a timeflow as it is at this instant. Of a VDB
 * that runs that is what a crash would leave, and PostgreSQL recovers from. Safe to call again after a crash.
 */
export async function takeSnapshot(context: JobContext, { snapshotId, timeflowId, vdbName }: Wanted): Promise<Result> {
  const { catalogue, pool, signal } = context;
  const place = placeOfSnapshot(snapshotId);
  if (!(await pool.has(place))) {
    await requireFreeSpace(pool, await context.reserveBytes(), cloneBytes, `a snapshot of VDB ${vdbName}`);
    const now = new Date().toISOString();
    catalogue.run("UPDATE snapshot SET timestamp = ?, timeflow_id = ? WHERE id = ?", now, timeflowId, snapshotId);
    await pool.clone(placeOfTimeflow(timeflowId), place, "readOnly");
  }
  const found = controlDataOf(context, place).catch((error: unknown) => {
    // Of a VDB that began without a database its workload decides what is in it, and when it is half made.
    if (signal.aborted || timeflowById(catalogue, timeflowId)?.version !== undefined) throw error;
    return undefined;
  });
  const { state, checkpointLsn = null, version = null } = (await found) ?? {};
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

const controlDataOf = async ({ pool, postgres, signal }: JobContext, place: string): Promise<ControlData> =>
  await postgres.controlData(await dataFolderIn(pool.pathOf(place)), signal);

/** Removes what a job that failed has left of a snapshot that it was to take. One that is ready was not taken by it. */
export async function dropUnfinished(
  { catalogue, pool }: { readonly catalogue: Catalogue; readonly pool: Pool },
  snapshotId: string,
): Promise<Result> {
  if (snapshotById(catalogue, snapshotId)?.state !== "creating") return () => undefined;
  await pool.remove(placeOfSnapshot(snapshotId));
  await pool.remove(draftOf(snapshotId));
  return () => catalogue.run("DELETE FROM snapshot WHERE id = ?", snapshotId);
}
