import type { Catalogue } from "./catalogue.ts";
import {
  type DSourceRow,
  decodeDSourceRow,
  decodeSnapshotRow,
  decodeTimeflowRow,
  decodeVdbRow,
  type SnapshotRow,
  type TimeflowRow,
  type VdbRow,
} from "./rows.ts";

export const allDSources = (catalogue: Catalogue): readonly DSourceRow[] =>
  catalogue.all(decodeDSourceRow, "SELECT * FROM dsource");
export const dSourceById = (catalogue: Catalogue, id: string): DSourceRow | undefined =>
  catalogue.one(decodeDSourceRow, "SELECT * FROM dsource WHERE id = ?", id);

const vdbs = `SELECT vdb.*, timeflow.snapshot_id, timeflow.parent_timestamp, timeflow.version AS database_version
  FROM vdb JOIN timeflow ON timeflow.id = vdb.timeflow_id`;
export const allVdbs = (catalogue: Catalogue): readonly VdbRow[] => catalogue.all(decodeVdbRow, vdbs);
export const vdbById = (catalogue: Catalogue, id: string): VdbRow | undefined =>
  catalogue.one(decodeVdbRow, `${vdbs} WHERE vdb.id = ?`, id);

/** Those that can be used, of dSources too. */
export const readyTimeflows = (catalogue: Catalogue): readonly TimeflowRow[] =>
  catalogue.all(decodeTimeflowRow, "SELECT * FROM timeflow WHERE state = 'ready'");
export const readyTimeflow = (catalogue: Catalogue, id: string): TimeflowRow | undefined =>
  catalogue.one(decodeTimeflowRow, "SELECT * FROM timeflow WHERE id = ? AND state = 'ready'", id);
export const timeflowById = (catalogue: Catalogue, id: string): TimeflowRow | undefined =>
  catalogue.one(decodeTimeflowRow, "SELECT * FROM timeflow WHERE id = ?", id);
/** In any state: whoever removes a dataset removes all of them. */
export const timeflowsOf = (catalogue: Catalogue, datasetId: string): readonly TimeflowRow[] =>
  catalogue.all(decodeTimeflowRow, "SELECT * FROM timeflow WHERE dataset_id = ?", datasetId);
export const snapshotsOf = (catalogue: Catalogue, datasetId: string): readonly SnapshotRow[] =>
  catalogue.all(decodeSnapshotRow, "SELECT * FROM snapshot WHERE dataset_id = ?", datasetId);
export const snapshotById = (catalogue: Catalogue, id: string): SnapshotRow | undefined =>
  catalogue.one(decodeSnapshotRow, "SELECT * FROM snapshot WHERE id = ?", id);

/** Those that can be used: one that is being made or removed does not exist for anybody outside. */
export const readySnapshots = (catalogue: Catalogue): readonly SnapshotRow[] =>
  catalogue.all(decodeSnapshotRow, "SELECT * FROM snapshot WHERE state = 'ready'");
export const readySnapshot = (catalogue: Catalogue, id: string): SnapshotRow | undefined =>
  catalogue.one(decodeSnapshotRow, "SELECT * FROM snapshot WHERE id = ? AND state = 'ready'", id);
export const latestSnapshot = (catalogue: Catalogue, datasetId: string): SnapshotRow | undefined =>
  catalogue.one(
    decodeSnapshotRow,
    "SELECT * FROM snapshot WHERE dataset_id = ? AND state = 'ready' ORDER BY timestamp DESC, created DESC LIMIT 1",
    datasetId,
  );
