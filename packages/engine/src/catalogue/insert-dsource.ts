import type { Tag } from "@vdb/dct";
import type { Catalogue } from "./catalogue.ts";
import { newId } from "./places.ts";
import type { DSourceConnection } from "./rows.ts";
import { insertTimeflow } from "./timeflows.ts";

export interface WantedDSource {
  readonly name: string;
  readonly groupId: string;
  readonly declared: boolean;
  readonly connection: DSourceConnection;
  readonly tags: readonly Tag[];
}

/** Records a dSource; its first snapshot is what links it. */
export function insertDSource(catalogue: Catalogue, { name, groupId, declared, connection, tags }: WantedDSource): string {
  const id = newId(catalogue, "APPDATA_CONTAINER");
  const timeflowId = insertTimeflow(catalogue, { datasetId: id, type: "INITIAL", state: "ready" });
  catalogue.run(
    "INSERT INTO dsource (id, name, group_id, declared, state, connection, tags, timeflow_id, created) VALUES (?, ?, ?, ?, 'linking', ?, ?, ?, ?)",
    id,
    name,
    groupId,
    declared ? 1 : 0,
    JSON.stringify(connection),
    JSON.stringify(tags),
    timeflowId,
    new Date().toISOString(),
  );
  return id;
}
