/** Bookmarks: a name for one snapshot of each of its VDBs. A bookmark keeps its snapshots from being deleted by themselves. */
import { type Decoded, object, string } from "@vdb/dct";
import { conflict } from "../refusal.ts";
import type { Catalogue } from "./catalogue.ts";
import { type BookmarkRow, decodeBookmarkRow, decodeSnapshotRow, type SnapshotRow } from "./rows.ts";

export const allBookmarks = (catalogue: Catalogue): readonly BookmarkRow[] =>
  catalogue.all(decodeBookmarkRow, "SELECT * FROM bookmark");
export const bookmarkById = (catalogue: Catalogue, id: string): BookmarkRow | undefined =>
  catalogue.one(decodeBookmarkRow, "SELECT * FROM bookmark WHERE id = ?", id);

/** In any state: those that a bookmark which is being made has yet to take, too. */
export const snapshotsOfBookmark = (catalogue: Catalogue, id: string): readonly SnapshotRow[] =>
  catalogue.all(
    decodeSnapshotRow,
    `SELECT snapshot.* FROM snapshot JOIN bookmark_snapshot ON snapshot_id = snapshot.id
     WHERE bookmark_id = ? ORDER BY snapshot.created, snapshot.id`,
    id,
  );

const decodeName = object({ name: string, id: string }, {});
/** Those that name a snapshot, by name. */
export const bookmarksOn = (catalogue: Catalogue, snapshotId: string): readonly Decoded<typeof decodeName>[] =>
  catalogue.all(
    decodeName,
    `SELECT bookmark.name, bookmark.id FROM bookmark JOIN bookmark_snapshot ON bookmark_id = bookmark.id
     WHERE snapshot_id = ? ORDER BY bookmark.name, bookmark.id`,
    snapshotId,
  );

export const isBookmarked = (catalogue: Catalogue, snapshotId: string): boolean => bookmarksOn(catalogue, snapshotId).length > 0;

export function requireNotBookmarked(catalogue: Catalogue, snapshotId: string): void {
  const names = bookmarksOn(catalogue, snapshotId).map(({ name, id }) => `${name} (${id})`);
  if (names.length > 0)
    throw conflict(
      `snapshot ${snapshotId} cannot be deleted: the bookmark ${names.join(", ")} names it; delete the bookmark first`,
    );
}

/** Bookmarks end with the last of their snapshots. Call it in the transaction that forgets a dataset. */
export function dropBookmarksOf(catalogue: Catalogue, datasetId: string): void {
  catalogue.run("DELETE FROM bookmark_snapshot WHERE snapshot_id IN (SELECT id FROM snapshot WHERE dataset_id = ?)", datasetId);
  catalogue.run(
    "DELETE FROM bookmark WHERE state = 'ready' AND NOT EXISTS (SELECT 1 FROM bookmark_snapshot WHERE bookmark_id = bookmark.id)",
  );
}
