import { rename } from "node:fs/promises";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { allVdbs } from "../catalogue/datasets.ts";
import { placeOfTimeflow, placeOfVdb } from "./places.ts";
import type { Pool } from "./pool.ts";

/**
 * In pools of earlier builds a VDB's bytes lie at its stable path itself. They move below their timeflow, and the path leads there. A
 * database that runs keeps its mount. A crash in between is completed by the next start.
 */
export async function migrateTimeflows(catalogue: Catalogue, pool: Pool): Promise<void> {
  for (const { id, state, timeflow_id } of allVdbs(catalogue)) {
    const [path, timeflow] = [placeOfVdb(id), placeOfTimeflow(timeflow_id)];
    if (await pool.has(path)) await rename(pool.pathOf(path), pool.pathOf(timeflow));
    // Of one that is being deleted, its job takes both away.
    if (state === "deleting" || (await pool.leadsTo(path)) !== undefined) continue;
    if (await pool.has(timeflow)) await pool.swap(path, timeflow);
  }
}
