import { rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeSnapshotRow, decodeVdbRow } from "../catalogue/rows.ts";
import { runCommand } from "../command.ts";
import { Failure } from "../failure.ts";
import { dataFolderIn } from "../pool/data-folder.ts";
import { requireRoom } from "../pool/pool.ts";
import type { JobContext, JobKind } from "./job-kind.ts";

/** A clone changes pages of the file system's trees before it holds any data of its own. */
const cloneBytes = 2 ** 20;

/**
 * DB_PROVISION: a writable clone of a snapshot. Intent: the VDB's row in state `creating`. Effect: the subvolume of its id.
 * After a crash a subvolume that is there is whole, because a clone is atomic.
 */
export const provision: JobKind = {
  run: async (context) => {
    const { catalogue, pool, job, seam } = context;
    const place = `vdbs/${job.target_id}`;
    if (!(await pool.has(place))) {
      await requireRoom(pool, await context.reserveBytes(), cloneBytes, `VDB ${job.target_name}`);
      await cloneTo(context, place);
    }
    await seam("DB_PROVISION:cloned");
    // Of a VDB that ran when it was snapshotted: in another pod its process number may belong to somebody else.
    await rm(join(await dataFolderIn(pool.pathOf(place)), "postmaster.pid"), { force: true });
    return () => catalogue.run("UPDATE vdb SET state = 'ready', enabled = 1 WHERE id = ? AND state = 'creating'", job.target_id);
  },
  undo: async ({ catalogue, pool, job }) => {
    await pool.remove(`vdbs/${job.target_id}`);
    await pool.remove(`work/${job.target_id}`);
    return () => catalogue.run("DELETE FROM vdb WHERE id = ?", job.target_id);
  },
};

async function cloneTo({ catalogue, pool, job, seam, signal }: JobContext, place: string): Promise<void> {
  const vdb = catalogue.one(decodeVdbRow, "SELECT * FROM vdb WHERE id = ?", job.target_id);
  const snapshot = catalogue.one(
    decodeSnapshotRow,
    "SELECT * FROM snapshot WHERE id = ? AND state = 'ready'",
    vdb?.snapshot_id ?? "",
  );
  if (vdb === undefined || snapshot === undefined) throw new Failure(`snapshot ${vdb?.snapshot_id} does not exist any more`);
  if (vdb.owner === snapshot.owner) return pool.clone(`snapshots/${snapshot.id}`, place, "writable");
  // Another owner takes time to set, so it happens beside the final place: what stands there is whole.
  const draft = `work/${vdb.id}`;
  await pool.remove(draft);
  await pool.clone(`snapshots/${snapshot.id}`, draft, "writable");
  await seam("DB_PROVISION:drafted");
  await runCommand("chown", ["--recursive", "--no-dereference", vdb.owner, pool.pathOf(draft)], { signal });
  await pool.clone(draft, place, "writable");
  await pool.remove(draft);
}
