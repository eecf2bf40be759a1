/** What the jobs share that change which bytes a VDB has. */
import { setTimeout as sleepMs } from "node:timers/promises";
import type { JobType, VdbRow } from "../catalogue/rows.ts";
import { placeOfTimeflow, placeOfVdb } from "../pool/places.ts";
import { conflict } from "../refusal.ts";
import type { Reserving } from "./define-job.ts";
import type { JobContext, Result } from "./job-kind.ts";
import { requireUnlocked } from "./require-unlocked.ts";
import { requireLeft, requireUnmounted } from "./require-unmounted.ts";
import { readyVdb } from "./require-vdb.ts";
import { unfinishedJobs } from "./submit.ts";

const changing: ReadonlySet<JobType> = new Set(["DB_REFRESH", "DB_ROLLBACK", "DB_UNDO_REFRESH", "DB_SWITCH_TIMEFLOW"]);

/**
 * The VDB that a request wants to have other bytes; throws unless that can begin now. Of a disabled one nobody uses the data, though a
 * node may not have unmounted it yet: the job waits for that. One change at a time, and the second is refused, not
 * queued: who lost the answer to the first and asks again must not throw away what was written since.
 */
export function changeableVdb({ catalogue, pool }: Reserving, id: string): VdbRow {
  const vdb = readyVdb(catalogue, id);
  requireUnlocked(vdb);
  const running = unfinishedJobs(catalogue).find((job) => job.target_id === id && changing.has(job.type));
  if (running !== undefined)
    throw conflict(`VDB ${vdb.name}: job ${running.id} (${running.type}) changes its data; wait until it has ended`);
  if (vdb.enabled) requireUnmounted(pool, vdb.name, [vdb.timeflow_id]);
  return vdb;
}

/** Points the VDB's path to another of its timeflows: from here on the new bytes are what the next pod gets. Safe to call again. */
export async function cutOver(context: JobContext, vdb: VdbRow, timeflowId: string): Promise<Result> {
  const { catalogue, pool, job, failpoint } = context;
  if (!vdb.enabled) await unmounted(context, vdb);
  requireUnmounted(pool, vdb.name, [vdb.timeflow_id]);
  await pool.swap(placeOfVdb(vdb.id), placeOfTimeflow(timeflowId));
  await failpoint(`${job.type}:swapped`);
  return () =>
    catalogue.run("UPDATE vdb SET previous_timeflow_id = timeflow_id, timeflow_id = ? WHERE id = ?", timeflowId, vdb.id);
}

/** The kubelet unmounts a moment after the last process of a pod has ended: how long that may take, and how often to look. */
const unmounting = { patienceMs: 15_000, pauseMs: 10 } as const;

async function unmounted({ pool, signal }: JobContext, { timeflow_id: timeflowId }: VdbRow): Promise<void> {
  const until = performance.now() + unmounting.patienceMs;
  while (pool.mountsOf(placeOfTimeflow(timeflowId)).length > 0 && performance.now() < until)
    await sleepMs(unmounting.pauseMs, undefined, { signal });
}

/** Points the VDB's path back to what the catalogue calls current; throws while a pod has what it leads to instead. */
export async function cutBack({ pool }: JobContext, vdb: VdbRow): Promise<void> {
  const [place, current] = [placeOfVdb(vdb.id), placeOfTimeflow(vdb.timeflow_id)];
  const now = await pool.leadsTo(place);
  if (now !== undefined && now !== current) requireLeft(pool, now);
  await pool.swap(place, current);
}
