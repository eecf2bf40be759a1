import { object } from "@vdb/dct";
import { allDSources, allVdbs, readyTimeflow } from "../catalogue/datasets.ts";
import { requireUnheld } from "../catalogue/holds.ts";
import { draftOf, placeOfTimeflow } from "../pool/places.ts";
import { conflict, notFound } from "../refusal.ts";
import { defineJob } from "./define-job.ts";

/**
 * TIMEFLOW_DELETE: the bytes of a timeflow that is not current go away. Snapshots that were taken of it stay, and so do clones: they are
 * volumes of their own.
 */
export const deleteTimeflow = defineJob({
  type: "TIMEFLOW_DELETE",
  parameters: object({}, {}),
  holds: () => [],
  reserve: ({ catalogue, pool }, id: string) => {
    const timeflow = readyTimeflow(catalogue, id);
    if (timeflow === undefined) throw notFound("timeflow", id);
    const user = [...allVdbs(catalogue), ...allDSources(catalogue)].find((one) => one.timeflow_id === id);
    if (user !== undefined)
      throw conflict(`timeflow ${id} is the current one of ${user.name}: switch to another first, or delete ${user.name}`);
    requireUnheld(catalogue, "timeflow", id);
    const [mount] = pool.mountsOf(placeOfTimeflow(id));
    if (mount !== undefined) throw conflict(`timeflow ${id} is mounted at ${mount}; stop the pod that uses it, then ask again`);
    catalogue.run("UPDATE timeflow SET state = 'deleting' WHERE id = ?", id);
    return { targetId: id, targetName: id, parameters: {} };
  },
  run: async ({ catalogue, pool, job: { target_id: id } }) => {
    await pool.remove(placeOfTimeflow(id));
    await pool.remove(draftOf(id));
    return () => {
      catalogue.run("UPDATE vdb SET previous_timeflow_id = NULL WHERE previous_timeflow_id = ?", id);
      catalogue.run("DELETE FROM timeflow WHERE id = ?", id);
    };
  },
  undo: async ({ catalogue, pool, job: { target_id: id } }) => {
    const untouched = await pool.has(placeOfTimeflow(id));
    return () => {
      if (untouched) catalogue.run("UPDATE timeflow SET state = 'ready' WHERE id = ?", id);
    };
  },
});
