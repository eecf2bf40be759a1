/** What there is to choose from, for the message of a refusal. */
import { type Bookmark, type DctClient, oneOf } from "@vdb/dct";

type Dct = Pick<DctClient, "searchSnapshots" | "searchBookmarks">;

/** How many choices a refusal lists. */
const listed = 10;

export async function snapshotChoices(
  dct: Pick<Dct, "searchSnapshots">,
  datasets: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const all = await dct.searchSnapshots(oneOf("dataset_id", datasets), { sort: "-timestamp", limit: listed, signal });
  return all.length === 0
    ? "there are no snapshots"
    : `the newest: ${all.map(({ id, timestamp = "" }) => `${id} (${timestamp})`).join(", ")}`;
}

/** The bookmarks that cover one of these datasets. DCT's filters do not reach into what a bookmark covers. */
export async function bookmarkChoices(
  dct: Pick<Dct, "searchBookmarks">,
  datasets: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const all = await dct.searchBookmarks(undefined, { signal });
  const names = all
    .filter((one) => pointsOf(one).some(({ dataset }) => datasets.includes(dataset ?? "")))
    .flatMap(({ name, id }) => name ?? id)
    .toSorted();
  const wanted = datasets.join(" or ");
  if (names.length === 0) return `no bookmark has data of ${wanted}`;
  const more = names.length > listed ? ` and ${names.length - listed} more` : "";
  return `the bookmarks with data of ${wanted}: ${names.slice(0, listed).join(", ")}${more}`;
}

/** Which snapshot of which dataset a bookmark names. */
export const pointsOf = ({ vdbs = [], dsources = [] }: Bookmark) => [
  ...vdbs.map(({ vdb_id: dataset, snapshot_id: id }) => ({ dataset, id })),
  ...dsources.map(({ dsource_id: dataset, snapshot_id: id }) => ({ dataset, id })),
];
