import { object } from "@vdb/dct";
import { dropBookmarksOf } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { snapshotsOf, timeflowsOf } from "../catalogue/datasets.ts";
import { requireNoneHeld } from "../catalogue/holds.ts";
import { draftOf, placeOfSnapshot, placeOfTimeflow, placeOfVdb } from "../pool/places.ts";
import { defineJob } from "./define-job.ts";
import { requireUnlocked } from "./require-unlocked.ts";
import { requireUnmounted } from "./require-unmounted.ts";
import { existingVdb } from "./require-vdb.ts";
import { unfinishedJob } from "./submit.ts";

/**
 * DB_DELETE: a VDB, its timeflows, its snapshots and their bookmarks go away. Clones made of them stay: they share blocks, not folders.
 * The VDB's path goes first, so that a failure before anything was removed leaves it as it was. The same request twice is one job: who
 * lost the answer may ask again. While a pod has any of the timeflows it is refused: a server whose files vanish loses what its clients
 * were told is written, and what stops the pod, a volume's deletion for one, comes back and asks again.
 */
export const deleteVdb = defineJob({
  type: "DB_DELETE",
  parameters: object({}, {}),
  holds: () => [],
  reserve: ({ catalogue, pool }, vdbId: string) => {
    const vdb = existingVdb(catalogue, vdbId);
    const running = unfinishedJob(catalogue, "DB_DELETE", vdb.id);
    if (running !== undefined) return { running };
    requireUnlocked(vdb);
    requireNoneHeld(catalogue, vdb.id, `VDB ${vdb.name}`);
    requireUnmounted(pool, vdb.name, timeflowIdsOf(catalogue, vdb.id));
    catalogue.run("UPDATE vdb SET state = 'deleting' WHERE id = ?", vdb.id);
    return { targetId: vdb.id, targetName: vdb.name, parameters: {} };
  },
  run: async ({ catalogue, pool, job: { target_id: id, target_name }, failpoint }) => {
    const timeflowIds = timeflowIdsOf(catalogue, id);
    requireUnmounted(pool, target_name, timeflowIds);
    await pool.remove(placeOfVdb(id));
    for (const timeflowId of timeflowIds) {
      await pool.remove(placeOfTimeflow(timeflowId));
      await pool.remove(draftOf(timeflowId));
    }
    await failpoint("DB_DELETE:removed");
    for (const snapshot of snapshotsOf(catalogue, id)) await pool.remove(placeOfSnapshot(snapshot.id));
    return () => {
      dropBookmarksOf(catalogue, id);
      for (const table of ["snapshot", "timeflow"]) catalogue.run(`DELETE FROM ${table} WHERE dataset_id = ?`, id);
      catalogue.run("DELETE FROM vdb WHERE id = ?", id);
    };
  },
  undo: async ({ catalogue, pool, job: { target_id: id } }) => {
    const untouched = (await pool.leadsTo(placeOfVdb(id))) !== undefined;
    return () => {
      if (untouched) catalogue.run("UPDATE vdb SET state = 'ready' WHERE id = ?", id);
    };
  },
});

const timeflowIdsOf = (catalogue: Catalogue, vdbId: string): readonly string[] =>
  timeflowsOf(catalogue, vdbId).map(({ id }) => id);
