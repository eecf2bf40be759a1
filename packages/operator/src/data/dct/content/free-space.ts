import type { DctClient, Vdb } from "@vdb/dct";
import { ActionFailed } from "../../action-failed.ts";
import { storageLevel } from "../storage-level.ts";

/**
 * An engine makes new data beside the old, and has a reserve that it gives only to databases that run. It would refuse after the stop:
 * asked before, the refusal costs no downtime. An engine that does not tell its reserve decides by itself, unless it is full.
 */
export async function requireFreeSpace(
  dct: Pick<DctClient, "getEngine">,
  { engine_id: id }: Vdb,
  signal: AbortSignal,
): Promise<void> {
  const engine = id === undefined ? undefined : await dct.getEngine(id, { signal });
  const level = engine === undefined ? undefined : storageLevel(engine, undefined);
  if (engine === undefined || level === undefined || level === "roomLeft") return;
  const { name, data_storage_reserve: reserve, data_storage_capacity: capacity = 0, data_storage_used: used = 0 } = engine;
  if (level === "nearlyFull" && reserve === undefined) return;
  const [free, kept] = [capacity - used, reserve ?? 0].map((bytes) => `${Math.max(0, Math.floor(bytes / 2 ** 20))} MiB`);
  throw new ActionFailed(
    "StorageFailed",
    `the storage of engine ${name} has too little free space for new data: ${free} are free, and ${kept} of them are its reserve; ` +
      "delete VDBs or snapshots, or enlarge the engine's storage; a rewind to the previous data needs no space",
  );
}
