import { type Decoded, number, object, string, type Tag } from "@vdb/dct";
import type { Catalogue } from "./catalogue.ts";
import { tags } from "./rows.ts";

const decodeEngineRow = object({ number, tags }, { pool: string });

function engineRow(catalogue: Catalogue): Decoded<typeof decodeEngineRow> {
  const row = catalogue.one(decodeEngineRow, "SELECT number, tags, pool FROM engine");
  if (row === undefined) throw new Error("the catalogue does not name its engine");
  return row;
}

/** The first part of every id, `<engine>-APPDATA_CONTAINER-7`: drawn with the catalogue, so that a new one repeats no id. */
export const engineId = (catalogue: Catalogue): string => String(engineRow(catalogue).number);

export const tagsOfEngine = (catalogue: Catalogue): readonly Tag[] => engineRow(catalogue).tags;

/** The uuid of the pool that the catalogue's data lies in. */
export const poolUuid = (catalogue: Catalogue): string | undefined => engineRow(catalogue).pool;

export const recordPool = (catalogue: Catalogue, uuid: string): void => catalogue.run("UPDATE engine SET pool = ?", uuid);

/** Whether there is anything that has to lie in a pool. */
export const knowsData = (catalogue: Catalogue): boolean =>
  catalogue.one(() => true, "SELECT 1 WHERE EXISTS (SELECT 1 FROM vdb) OR EXISTS (SELECT 1 FROM snapshot)") ?? false;
