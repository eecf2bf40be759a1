import type { Catalogue } from "./catalogue.ts";
import { type DSourceRow, decodeDSourceRow, decodeSnapshotRow, decodeVdbRow, type SnapshotRow, type VdbRow } from "./rows.ts";

export const allDSources = (catalogue: Catalogue): readonly DSourceRow[] =>
  catalogue.all(decodeDSourceRow, "SELECT * FROM dsource");
export const dSourceById = (catalogue: Catalogue, id: string): DSourceRow | undefined =>
  catalogue.one(decodeDSourceRow, "SELECT * FROM dsource WHERE id = ?", id);

export const allVdbs = (catalogue: Catalogue): readonly VdbRow[] => catalogue.all(decodeVdbRow, "SELECT * FROM vdb");
export const vdbById = (catalogue: Catalogue, id: string): VdbRow | undefined =>
  catalogue.one(decodeVdbRow, "SELECT * FROM vdb WHERE id = ?", id);

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
