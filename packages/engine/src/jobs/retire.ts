import { allBookmarks, isBookmarked } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { readySnapshots } from "../catalogue/datasets.ts";
import { isHeld } from "../catalogue/holds.ts";
import type { BookmarkRow, SnapshotRow } from "../catalogue/rows.ts";
import { deleteBookmark } from "./bookmarks.ts";
import type { Reserving } from "./define-job.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";

type Kept = Pick<SnapshotRow | BookmarkRow, "expiration" | "retain_forever">;

/** An expiration is the last day, in UTC, on which the object has to be there. */
const isOver = ({ expiration, retain_forever }: Kept, today: string): boolean =>
  !retain_forever && expiration !== undefined && expiration < today;

/** Somebody wants this one kept: no rule about numbers takes it away. */
export const isRetained = ({ expiration, retain_forever }: Kept): boolean => retain_forever || expiration !== undefined;

/** Deletes the bookmarks and snapshots whose last day is over. What a job or a bookmark needs waits for a later pass. */
export function retireExpired(parts: Reserving & { readonly catalogue: Catalogue }, now: Date): readonly string[] {
  const { catalogue } = parts;
  const today = now.toISOString().slice(0, 10);
  const bookmarks = allBookmarks(catalogue).filter((one) => one.state === "ready" && isOver(one, today));
  for (const { id } of bookmarks) deleteBookmark.request(parts, id);
  const snapshots = readySnapshots(catalogue).filter(
    (one) => isOver(one, today) && !isHeld(catalogue, one.id) && !isBookmarked(catalogue, one.id),
  );
  for (const { id } of snapshots) deleteSnapshot.request(parts, id);
  return [...bookmarks, ...snapshots].map(({ id }) => id);
}
