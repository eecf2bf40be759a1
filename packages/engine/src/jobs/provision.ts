import { rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeSnapshotRow, type SnapshotRow, type VdbRow } from "../catalogue/rows.ts";
import { runCommand } from "../command.ts";
import { Failure } from "../failure.ts";
import { dataFolderIn } from "../pool/data-folder.ts";
import { requireFreeSpace } from "../pool/pool.ts";
import type { JobContext, JobKind, Result } from "./job-kind.ts";
import { requireVdb } from "./require-vdb.ts";
import { takeSnapshot } from "./take-snapshot.ts";

/** A clone changes pages of the file system's trees before it holds any data of its own. */
const cloneBytes = 2 ** 20;

/**
 * DB_PROVISION: a writable clone of a snapshot, and a first snapshot of the clone. Where the origin is a VDB without a named
 * snapshot, the job begins with one of it, so that the clone has its data as of now.
 * Intents: the VDB's row and those of the snapshots to take, in state `creating`. Effects: the subvolumes of their ids.
 * After a crash a subvolume that is there is whole, because a clone is atomic.
 */
export const provision: JobKind = {
  run: async (context) => {
    const { catalogue, pool, job, failpoint } = context;
    const vdb = requireVdb(context);
    const place = `vdbs/${vdb.id}`;
    const origin = originOf(context, vdb);
    const recordOrigin = await takeOrigin(context, origin);
    await failpoint("DB_PROVISION:originTaken");
    if (!(await pool.has(place))) {
      await requireFreeSpace(pool, await context.reserveBytes(), cloneBytes, `VDB ${job.target_name}`);
      await cloneTo(context, vdb, origin, place);
    }
    await failpoint("DB_PROVISION:cloned");
    // Of a VDB that ran when it was snapshotted: in another pod its process number may belong to somebody else.
    await rm(join(await dataFolderIn(pool.pathOf(place)), "postmaster.pid"), { force: true });
    const recordFirst = await takeFirst(context, vdb);
    await failpoint("DB_PROVISION:snapshotted");
    return () => {
      recordOrigin();
      recordFirst();
      catalogue.run(
        `UPDATE vdb SET state = 'ready', enabled = 1, parent_timestamp = (SELECT timestamp FROM snapshot WHERE id = vdb.snapshot_id)
         WHERE id = ? AND state = 'creating'`,
        vdb.id,
      );
    };
  },
  undo: async ({ catalogue, pool, job }) => {
    await pool.remove(`vdbs/${job.target_id}`);
    await pool.remove(`work/${job.target_id}`);
    const unfinished = catalogue.all(
      decodeSnapshotRow,
      `SELECT * FROM snapshot WHERE state = 'creating'
       AND id IN (?1, (SELECT snapshot_id FROM vdb WHERE id = ?2 AND state = 'creating'))`,
      String(job.parameters["snapshotId"]),
      job.target_id,
    );
    for (const { id } of unfinished) await pool.remove(`snapshots/${id}`);
    return () => {
      for (const { id } of unfinished) catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
      catalogue.run("DELETE FROM vdb WHERE id = ?", job.target_id);
    };
  },
};

function originOf({ catalogue }: JobContext, { snapshot_id }: VdbRow): SnapshotRow {
  const origin = catalogue.one(decodeSnapshotRow, "SELECT * FROM snapshot WHERE id = ? AND state <> 'deleting'", snapshot_id);
  if (origin === undefined) throw new Failure(`snapshot ${snapshot_id} does not exist any more`);
  return origin;
}

/** One that is not ready was reserved for this job. */
async function takeOrigin(context: JobContext, { id, state, dataset_id }: SnapshotRow): Promise<Result> {
  if (state === "ready") return () => undefined;
  return await takeSnapshot(context, dataset_id, id, dataset_id);
}

/** Jobs that an older engine accepted have reserved none. */
async function takeFirst(context: JobContext, { id, name }: VdbRow): Promise<Result> {
  const { snapshotId } = context.job.parameters;
  return typeof snapshotId === "string" ? await takeSnapshot(context, id, snapshotId, name) : () => undefined;
}

async function cloneTo(context: JobContext, vdb: VdbRow, { id, owner }: SnapshotRow, place: string): Promise<void> {
  const { pool, failpoint, signal } = context;
  if (vdb.owner === owner) return pool.clone(`snapshots/${id}`, place, "writable");
  // Another owner takes time to set, so it happens beside the final place: what stands there is whole.
  const draft = `work/${vdb.id}`;
  await pool.remove(draft);
  await pool.clone(`snapshots/${id}`, draft, "writable");
  await failpoint("DB_PROVISION:drafted");
  await runCommand("chown", ["--recursive", "--no-dereference", vdb.owner, pool.pathOf(draft)], { signal });
  await pool.clone(draft, place, "writable");
  await pool.remove(draft);
}
