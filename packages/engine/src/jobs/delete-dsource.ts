import { object } from "@vdb/dct";
import { dropBookmarksOf } from "../catalogue/bookmarks.ts";
import { allVdbs, dSourceById, snapshotsOf } from "../catalogue/datasets.ts";
import { requireNoneHeld } from "../catalogue/holds.ts";
import { draftOf, placeOfSnapshot } from "../pool/places.ts";
import { conflict, notFound } from "../refusal.ts";
import { defineJob } from "./define-job.ts";
import { unfinishedJob } from "./submit.ts";

/** DSOURCE_DELETE: a dSource and its snapshots go away; production is not asked and not touched. The same request twice is one job. */
export const deleteDSource = defineJob({
  type: "DSOURCE_DELETE",
  parameters: object({}, {}),
  holds: () => [],
  reserve: ({ catalogue }, { id, force }: { readonly id: string; readonly force: boolean }) => {
    const source = dSourceById(catalogue, id);
    if (source === undefined) throw notFound("dSource", id);
    // Their data would stay; but they could never be refreshed again, and nobody would see why.
    const dependents = allVdbs(catalogue).filter((vdb) => vdb.parent_dsource_id === id);
    if (dependents.length > 0 && !force) {
      const names = dependents.map(({ name }) => name).join(", ");
      throw conflict(`dSource ${source.name} has VDBs: ${names}; delete them first, or send force: true`);
    }
    const running = unfinishedJob(catalogue, "DSOURCE_DELETE", id);
    if (running !== undefined) return { running };
    requireNoneHeld(catalogue, id, `dSource ${source.name}`);
    catalogue.run("UPDATE dsource SET state = 'deleting' WHERE id = ?", id);
    return { targetId: id, targetName: source.name, parameters: {} };
  },
  run: async ({ catalogue, pool, standbys, job: { target_id: id }, failpoint }) => {
    await standbys.end(id);
    for (const snapshot of snapshotsOf(catalogue, id)) {
      await pool.remove(placeOfSnapshot(snapshot.id));
      await pool.remove(draftOf(snapshot.id));
      catalogue.run("DELETE FROM snapshot WHERE id = ?", snapshot.id);
    }
    await failpoint("DSOURCE_DELETE:removed");
    return () => {
      dropBookmarksOf(catalogue, id);
      catalogue.run("DELETE FROM timeflow WHERE dataset_id = ?", id);
      catalogue.run("DELETE FROM dsource WHERE id = ?", id);
    };
  },
  undo: async ({ catalogue, job }, _, failure) => {
    // Linked is what has a first snapshot.
    return () =>
      catalogue.run(
        `UPDATE dsource SET last_error = ?1, state = CASE
           WHEN EXISTS (SELECT 1 FROM snapshot WHERE dataset_id = dsource.id AND state = 'ready') THEN 'linked' ELSE 'linking' END
         WHERE id = ?2`,
        failure,
        job.target_id,
      );
  },
});
