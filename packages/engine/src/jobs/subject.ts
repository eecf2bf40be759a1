import { claimIn } from "@vdb/dct";
import { bookmarkById, snapshotsOfBookmark } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { dSourceById, snapshotById, timeflowById, vdbById } from "../catalogue/datasets.ts";
import type { JobRow } from "../catalogue/rows.ts";

/** What each line of log about a job says: what it works on, and the claim by which its database is found in Kubernetes. */
export const jobLogFields = (catalogue: Catalogue, { id, type, target_id }: JobRow): Readonly<Record<string, unknown>> => ({
  job: id,
  type,
  ...targetFields(catalogue, target_id),
});

function targetFields(catalogue: Catalogue, id: string): Readonly<Record<string, unknown>> {
  const snapshot = snapshotById(catalogue, id);
  if (snapshot !== undefined) return { snapshot: id, ...datasetFields(catalogue, snapshot.dataset_id) };
  const timeflow = timeflowById(catalogue, id);
  if (timeflow !== undefined) return { timeflow: id, ...datasetFields(catalogue, timeflow.dataset_id) };
  const bookmark = bookmarkById(catalogue, id);
  if (bookmark === undefined) return datasetFields(catalogue, id);
  const datasets = new Set(snapshotsOfBookmark(catalogue, id).map(({ dataset_id }) => dataset_id));
  const [only = "", ...others] = datasets;
  return { bookmark: bookmark.name, ...(others.length === 0 ? datasetFields(catalogue, only) : { delphixIDs: [...datasets] }) };
}

function datasetFields(catalogue: Catalogue, id: string): Readonly<Record<string, unknown>> {
  const vdb = vdbById(catalogue, id);
  if (vdb !== undefined) return { delphixID: id, name: vdb.name, claim: claimIn(vdb.tags) };
  const source = dSourceById(catalogue, id);
  return source === undefined ? { delphixID: id } : { delphixID: id, dSource: source.name };
}
