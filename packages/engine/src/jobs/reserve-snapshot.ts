import type { Catalogue } from "../catalogue/catalogue.ts";
import { dSourceById, vdbById } from "../catalogue/datasets.ts";
import { newId } from "../catalogue/places.ts";
import type { SnapshotRow } from "../catalogue/rows.ts";
import { conflict } from "../refusal.ts";

interface Wanted {
  readonly dataset: { readonly id: string; readonly timeflow_id: string; readonly owner: string };
  readonly kind: SnapshotRow["dataset_kind"];
  readonly version?: string | undefined;
  readonly madeBy: SnapshotRow["made_by"];
}

/** Chooses the id of a snapshot that a job will take: its row, in state `creating`, is the intent. */
export function reserveSnapshot(catalogue: Catalogue, { dataset, kind, version, madeBy }: Wanted): string {
  const id = newId(catalogue, "APPDATA_SNAPSHOT");
  catalogue.run(
    "INSERT INTO snapshot (id, dataset_id, dataset_kind, state, made_by, timeflow_id, version, owner, created) VALUES (?, ?, ?, 'creating', ?, ?, ?, ?, ?)",
    id,
    dataset.id,
    kind,
    madeBy,
    dataset.timeflow_id,
    version ?? null,
    dataset.owner,
    new Date().toISOString(),
  );
  return id;
}

/** Throws a conflict while the dSource or VDB of a snapshot is being deleted, which takes the snapshot with it. */
export function requireDataset(catalogue: Catalogue, { id, dataset_id }: Pick<SnapshotRow, "id" | "dataset_id">): void {
  const dataset = dSourceById(catalogue, dataset_id) ?? vdbById(catalogue, dataset_id);
  if (dataset?.state === "deleting") throw conflict(`snapshot ${id} belongs to ${dataset.name}, which is being deleted`);
}
