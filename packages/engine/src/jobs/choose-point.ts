/** Which snapshot a request for other data means. Refusals name what there is to choose from. */
import { bookmarkById, snapshotsOfBookmark } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { dSourceById, readySnapshot, readySnapshots, timeflowById, vdbById } from "../catalogue/datasets.ts";
import type { BookmarkRow, SnapshotRow, TimeflowRow, VdbRow } from "../catalogue/rows.ts";
import { parsePosition } from "../link/wal-position.ts";
import { badRequest, conflict, notFound, type Refusal, shown } from "../refusal.ts";
import { requireDataset } from "./reserve-snapshot.ts";

/** A point in time as a request names it. Without an id or a time the latest is meant. */
export type Point =
  | { readonly by: "snapshot"; readonly snapshotId?: string | undefined }
  | ({ readonly by: "timestamp"; readonly timestamp?: string | undefined } & Within)
  | ({ readonly by: "location"; readonly location?: string | undefined } & Within)
  | { readonly by: "bookmark"; readonly bookmarkId: string };

/** Where the point lies: one of them at most. */
interface Within {
  readonly timeflowId?: string | undefined;
  readonly datasetId?: string | undefined;
}

type Instant = Extract<Point, { by: "timestamp" | "location" }>;

export type Change = "refresh" | "rollback";

export function choosePoint(catalogue: Catalogue, vdb: VdbRow, change: Change, point: Point): SnapshotRow {
  const snapshot = find(catalogue, vdb, change, point);
  requireDataset(catalogue, snapshot);
  return snapshot;
}

function find(catalogue: Catalogue, vdb: VdbRow, change: Change, point: Point): SnapshotRow {
  switch (point.by) {
    case "snapshot":
      return point.snapshotId === undefined
        ? newest(catalogue, sourceOf(vdb, change))
        : named(catalogue, vdb, change, point.snapshotId);
    case "timestamp":
    case "location":
      return asOf(catalogue, vdb, change, point);
    case "bookmark":
      return bookmarked(catalogue, vdb, change, point.bookmarkId);
    default:
      return point satisfies never;
  }
}

/** A refresh brings data of the parent, a rollback the VDB's own of earlier. */
const sourceOf = (vdb: VdbRow, change: Change): string => (change === "refresh" ? vdb.parent_id : vdb.id);

/** A refresh also takes the VDB's own snapshots, because scripts rewind with it, and those of the dSource that its family comes from. */
const sourcesOf = (vdb: VdbRow, change: Change): readonly string[] =>
  change === "refresh" ? [...new Set([vdb.parent_id, vdb.parent_dsource_id, vdb.id])] : [vdb.id];

function named(catalogue: Catalogue, vdb: VdbRow, change: Change, id: string): SnapshotRow {
  if (id === "null")
    throw badRequest('snapshot_id is the word "null": the search for a snapshot has found none; take one first, or leave it out');
  const snapshot = readySnapshot(catalogue, id);
  if (snapshot === undefined) throw notFound("snapshot", id);
  if (!sourcesOf(vdb, change).includes(snapshot.dataset_id))
    throw foreign(catalogue, vdb, change, `snapshot ${id} belongs to ${nameOf(catalogue, snapshot.dataset_id)}`);
  return snapshot;
}

const newest = (catalogue: Catalogue, datasetId: string): SnapshotRow => {
  const [latest] = newestFirst(readySnapshots(catalogue).filter((one) => one.dataset_id === datasetId));
  if (latest === undefined) throw conflict(`${nameOf(catalogue, datasetId)} has no snapshot: take one first, or name another`);
  return latest;
};

const newestFirst = (snapshots: readonly SnapshotRow[]): readonly SnapshotRow[] =>
  snapshots.toSorted((a, b) => timeOf(b) - timeOf(a) || b.created.localeCompare(a.created));
const timeOf = ({ timestamp, created }: SnapshotRow): number => Date.parse(timestamp ?? created);

/** Of a VDB, or of what it comes from. */
function asOf(catalogue: Catalogue, vdb: VdbRow, change: Change, instant: Instant): SnapshotRow {
  if (instant.timeflowId !== undefined && instant.datasetId !== undefined)
    throw badRequest("send timeflow_id or dataset_id, not both");
  const { timeflow, from } = datasetOf(catalogue, instant, sourceOf(vdb, change));
  if (!sourcesOf(vdb, change).includes(from)) {
    const what = timeflow === undefined ? `dataset_id names` : `timeflow ${timeflow.id} belongs to`;
    throw foreign(catalogue, vdb, change, `${what} ${nameOf(catalogue, from)}`);
  }
  return newestUntil(catalogue, instant, from, timeflow);
}

/** The snapshot that a new VDB is to begin with, of any dataset. */
export function pointOfDataset(catalogue: Catalogue, instant: Instant): SnapshotRow {
  const { timeflow, from } = datasetOf(catalogue, instant, undefined);
  if (dSourceById(catalogue, from) === undefined && vdbById(catalogue, from) === undefined)
    throw notFound("dSource or VDB", from);
  const snapshot = newestUntil(catalogue, instant, from, timeflow);
  requireDataset(catalogue, snapshot);
  return snapshot;
}

function datasetOf(catalogue: Catalogue, { timeflowId, datasetId }: Within, otherwise: string | undefined) {
  const timeflow = timeflowId === undefined ? undefined : timeflowById(catalogue, timeflowId);
  if (timeflowId !== undefined && timeflow === undefined) throw notFound("timeflow", timeflowId);
  if (timeflow !== undefined && datasetId !== undefined && timeflow.dataset_id !== datasetId)
    throw badRequest(`timeflow ${timeflow.id} belongs to ${nameOf(catalogue, timeflow.dataset_id)}, not to ${shown(datasetId)}`);
  const from = timeflow?.dataset_id ?? datasetId ?? otherwise;
  if (from === undefined) throw badRequest("body: must contain source_data_id or timeflow_id");
  return { timeflow, from };
}

/** The newest snapshot whose data is not newer than the instant: this engine has snapshots only, no log between them. */
function newestUntil(catalogue: Catalogue, instant: Instant, from: string, timeflow: TimeflowRow | undefined): SnapshotRow {
  const all = newestFirst(
    readySnapshots(catalogue).filter(
      (one) => one.dataset_id === from && (timeflow === undefined || one.timeflow_id === timeflow.id),
    ),
  );
  const found = all.find((one) => isUntil(one, instant));
  if (found !== undefined) return found;
  const [oldest] = all.toReversed();
  const there =
    oldest === undefined
      ? "it has no snapshot"
      : `its oldest snapshot is ${oldest.id} of ${oldest.timestamp}, at ${oldest.location}`;
  const where = timeflow === undefined ? nameOf(catalogue, from) : `timeflow ${timeflow.id}`;
  const wanted = instant.by === "timestamp" ? instant.timestamp : instant.location;
  throw conflict(`there is no data of ${where} as of ${shown(wanted ?? "now")}: ${there}`);
}

function isUntil(snapshot: SnapshotRow, instant: Instant): boolean {
  if (instant.by === "timestamp") return instant.timestamp === undefined || timeOf(snapshot) <= Date.parse(instant.timestamp);
  if (instant.location === undefined) return true;
  return snapshot.location !== undefined && parsePosition(snapshot.location) <= parsePosition(instant.location);
}

/** The snapshot of a bookmark that a new VDB is to begin with. */
export function pointOfBookmark(catalogue: Catalogue, id: string): SnapshotRow {
  const { bookmark, all } = usableBookmark(catalogue, id);
  const [only, another] = all;
  if (only === undefined) throw conflict(`bookmark ${bookmark.name} has no snapshot any more`);
  if (another !== undefined) {
    const names = all.map((one) => nameOf(catalogue, one.dataset_id)).join(", ");
    throw badRequest(
      `bookmark ${bookmark.name} covers several datasets (${names}): provision by_snapshot, with one of its snapshots`,
    );
  }
  requireDataset(catalogue, only);
  return only;
}

function usableBookmark(
  catalogue: Catalogue,
  id: string,
): { readonly bookmark: BookmarkRow; readonly all: readonly SnapshotRow[] } {
  const bookmark = bookmarkById(catalogue, id);
  if (bookmark === undefined || bookmark.state === "deleting") throw notFound("bookmark", id);
  if (bookmark.state === "creating") throw conflict(`bookmark ${bookmark.name} is being made: wait until its job has ended`);
  return { bookmark, all: snapshotsOfBookmark(catalogue, id) };
}

function bookmarked(catalogue: Catalogue, vdb: VdbRow, change: Change, id: string): SnapshotRow {
  const { bookmark, all } = usableBookmark(catalogue, id);
  const [snapshot] = sourcesOf(vdb, change).flatMap((source) => all.filter((one) => one.dataset_id === source));
  if (snapshot !== undefined) return snapshot;
  const covered = [...new Set(all.map((one) => nameOf(catalogue, one.dataset_id)))].toSorted().join(", ");
  throw foreign(catalogue, vdb, change, `bookmark ${bookmark.name} covers ${covered}`);
}

function foreign(catalogue: Catalogue, vdb: VdbRow, change: Change, what: string): Refusal {
  const allowed = sourcesOf(vdb, change).map((id) => nameOf(catalogue, id));
  const verb = change === "refresh" ? "is refreshed from" : "is rolled back to snapshots of";
  return badRequest(`${what}; VDB ${vdb.name} ${verb} ${allowed.join(" or ")}`);
}

const nameOf = (catalogue: Catalogue, id: string): string => {
  const [dSource, vdb] = [dSourceById(catalogue, id), vdbById(catalogue, id)];
  if (dSource !== undefined) return `dSource ${dSource.name}`;
  return vdb === undefined ? `${shown(id)}, which does not exist` : `VDB ${vdb.name}`;
};
