import { object, string } from "@vdb/dct";
import { requireNotBookmarked } from "../catalogue/bookmarks.ts";
import { readySnapshot } from "../catalogue/datasets.ts";
import { requireUnheld } from "../catalogue/holds.ts";
import { placeOfSnapshot } from "../pool/places.ts";
import { notFound } from "../refusal.ts";
import { defineJob } from "./define-job.ts";
import { requireDataset } from "./reserve-snapshot.ts";

const parameters = object({ snapshotId: string }, {});

/** SNAPSHOT_DELETE: clones and timeflows made of it stay, they share blocks with it, not the folder. */
export const deleteSnapshot = defineJob({
  type: "SNAPSHOT_DELETE",
  parameters,
  holds: () => [],
  reserve: ({ catalogue }, id: string) => {
    const snapshot = readySnapshot(catalogue, id);
    if (snapshot === undefined) throw notFound("snapshot", id);
    requireUnheld(catalogue, "snapshot", id);
    requireNotBookmarked(catalogue, id);
    requireDataset(catalogue, snapshot);
    catalogue.run("UPDATE snapshot SET state = 'deleting' WHERE id = ?", id);
    return { targetId: id, targetName: id, parameters: { snapshotId: id } };
  },
  run: async ({ catalogue, pool }, { snapshotId: id }) => {
    await pool.remove(placeOfSnapshot(id));
    return () => catalogue.run("DELETE FROM snapshot WHERE id = ?", id);
  },
  undo: async ({ catalogue, pool }, { snapshotId: id }) => {
    const untouched = await pool.has(placeOfSnapshot(id));
    return () => {
      if (untouched) catalogue.run("UPDATE snapshot SET state = 'ready' WHERE id = ?", id);
    };
  },
});
