import { rm } from "node:fs/promises";
import { join } from "node:path";
import { snapshotById, timeflowById } from "../catalogue/datasets.ts";
import type { SnapshotRow, VdbRow } from "../catalogue/rows.ts";
import { runCommand } from "../command.ts";
import { Failure } from "../failure.ts";
import { dataFolderIn } from "../pool/data-folder.ts";
import { draftOf, placeOfSnapshot, placeOfTimeflow, placeOfVdb } from "../pool/places.ts";
import { requireFreeSpace } from "../pool/pool.ts";
import type { JobContext, Result } from "./job-kind.ts";
import { requireLeft } from "./require-unmounted.ts";
import { cloneBytes } from "./take-snapshot.ts";

/** The snapshot that a timeflow begins with. The job holds it, so it is there. */
export function originOf({ catalogue }: JobContext, timeflowId: string): SnapshotRow {
  const { snapshot_id: id = "" } = timeflowById(catalogue, timeflowId) ?? {};
  const origin = snapshotById(catalogue, id);
  if (origin === undefined || origin.state === "deleting") throw new Failure(`snapshot ${id} does not exist any more`);
  return origin;
}

/**
 * Makes the bytes of a timeflow whose row, in state `creating`, is the intent: a writable clone of its snapshot that belongs to the VDB's
 * owner. What is there after a crash is whole, because a clone is atomic. Where the VDB's path leads to it already, it was finished before
 * the crash, and a pod may run on it since: then nothing in it is touched.
 */
export async function fillTimeflow(context: JobContext, vdb: VdbRow, timeflowId: string): Promise<void> {
  const { pool } = context;
  const place = placeOfTimeflow(timeflowId);
  if ((await pool.leadsTo(placeOfVdb(vdb.id))) === place) return;
  if (!(await pool.has(place))) {
    await requireFreeSpace(pool, await context.reserveBytes(), cloneBytes, `VDB ${vdb.name}`);
    await cloneTo(context, vdb, originOf(context, timeflowId), timeflowId);
  }
  await pool.remove(draftOf(timeflowId)); // also the one of a crash after the last clone
  await context.failpoint(`${context.job.type}:cloned`);
  // Of a VDB that ran when it was snapshotted: in another pod its process number may belong to somebody else.
  const data = await dataFolderIn(pool.pathOf(place)).catch((error: unknown) => {
    if (originOf(context, timeflowId).version !== undefined) throw error;
    return undefined; // it began as an empty folder
  });
  if (data !== undefined) await rm(join(data, "postmaster.pid"), { force: true });
}

async function cloneTo(context: JobContext, vdb: VdbRow, { id, owner }: SnapshotRow, timeflowId: string): Promise<void> {
  const { pool, job, failpoint, signal } = context;
  const [from, place] = [placeOfSnapshot(id), placeOfTimeflow(timeflowId)];
  if (vdb.owner === owner) return pool.clone(from, place, "writable");
  // Another owner takes time to set, so it happens beside the final place: what stands there is whole.
  const draft = draftOf(timeflowId);
  await pool.remove(draft);
  await pool.clone(from, draft, "writable");
  await failpoint(`${job.type}:drafted`);
  await runCommand("chown", ["--recursive", "--no-dereference", vdb.owner, pool.pathOf(draft)], { signal });
  await pool.clone(draft, place, "writable");
  await failpoint(`${job.type}:owned`);
}

/** Removes the timeflow that a job which failed was to make; throws while a pod has it. */
export async function dropTimeflow({ catalogue, pool }: JobContext, timeflowId: string): Promise<Result> {
  requireLeft(pool, placeOfTimeflow(timeflowId));
  await pool.remove(placeOfTimeflow(timeflowId));
  await pool.remove(draftOf(timeflowId));
  return () => catalogue.run("DELETE FROM timeflow WHERE id = ?", timeflowId);
}
