/** What the jobs share that change which bytes a VDB has. */
import type { JobType, VdbRow } from "../catalogue/rows.ts";
import { placeOfTimeflow, placeOfVdb } from "../pool/places.ts";
import type { Pool } from "../pool/pool.ts";
import { conflict } from "../refusal.ts";
import type { Reserving } from "./define-job.ts";
import type { JobContext, Result } from "./job-kind.ts";
import { readyVdb } from "./require-vdb.ts";
import { unfinishedJobs } from "./submit.ts";

const changing: ReadonlySet<JobType> = new Set(["DB_REFRESH", "DB_ROLLBACK", "DB_UNDO_REFRESH", "DB_SWITCH_TIMEFLOW"]);

/**
 * The VDB that a request wants to have other bytes; throws unless that can begin now. One change at a time, and the second is refused, not
 * queued: who lost the answer to the first and asks again must not throw away what was written since.
 */
export function changeableVdb({ catalogue, pool }: Reserving, id: string): VdbRow {
  const vdb = readyVdb(catalogue, id);
  const running = unfinishedJobs(catalogue).find((job) => job.target_id === id && changing.has(job.type));
  if (running !== undefined)
    throw conflict(`VDB ${vdb.name}: job ${running.id} (${running.type}) changes its data; wait until it has ended`);
  requireUnmounted(pool, vdb);
  return vdb;
}

/**
 * Throws while a pod has the VDB's data mounted. It would do that data no harm: the pod goes on with the bytes that it has. But its clients
 * would go on writing what no later pod sees.
 */
export function requireUnmounted(pool: Pool, { name, timeflow_id }: VdbRow): void {
  const [mount] = pool.mountsOf(placeOfTimeflow(timeflow_id));
  if (mount !== undefined)
    throw conflict(`VDB ${name} is in use: its data is mounted at ${mount}; stop the pod that uses it, then ask again`);
}

/** Points the VDB's path to another of its timeflows: from here on the new bytes are what the next pod gets. Safe to call again. */
export async function cutOver(context: JobContext, vdb: VdbRow, timeflowId: string): Promise<Result> {
  const { catalogue, pool, job, failpoint } = context;
  requireUnmounted(pool, vdb);
  await pool.swap(placeOfVdb(vdb.id), placeOfTimeflow(timeflowId));
  await failpoint(`${job.type}:swapped`);
  return () =>
    catalogue.run("UPDATE vdb SET previous_timeflow_id = timeflow_id, timeflow_id = ? WHERE id = ?", timeflowId, vdb.id);
}

/** Points the VDB's path back to what the catalogue calls current. */
export async function cutBack({ pool }: JobContext, vdb: VdbRow): Promise<void> {
  await pool.swap(placeOfVdb(vdb.id), placeOfTimeflow(vdb.timeflow_id));
}
