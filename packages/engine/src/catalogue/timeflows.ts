import type { Catalogue } from "./catalogue.ts";
import { newId } from "./places.ts";
import type { SnapshotRow, TimeflowRow } from "./rows.ts";

interface Wanted {
  readonly datasetId: string;
  readonly type: TimeflowRow["creation_type"];
  readonly state: TimeflowRow["state"];
  /** What its data begins with; a dSource's begins with nothing. */
  readonly from?: Pick<SnapshotRow, "id" | "timeflow_id" | "timestamp" | "location" | "version">;
}

/** Chooses a timeflow's id. In state `creating` its row is the intent: a job will make the folder of that name. */
export function insertTimeflow(catalogue: Catalogue, { datasetId, type, state, from }: Wanted): string {
  const id = newId(catalogue, "APPDATA_TIMEFLOW");
  catalogue.run(
    `INSERT INTO timeflow (id, dataset_id, creation_type, snapshot_id, parent_timeflow_id, parent_timestamp, parent_location, version,
       state, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    datasetId,
    type,
    from?.id ?? null,
    from?.timeflow_id ?? null,
    from?.timestamp ?? null,
    from?.location ?? null,
    from?.version ?? null,
    state,
    new Date().toISOString(),
  );
  return id;
}
