import { type Bookmark, type DctClient, type DctConnection, eq, waitForJob } from "@vdb/dct";
import { after, done, terminal } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import type { BookmarkDeed } from "../../content-store.ts";
import { pointsOf } from "./choices.ts";

/** A longer job is waited for by the next look. */
const patienceSeconds = 10;
const none = "none";

/** Bookmarks of DCT. They are found by their name. */
export const bookmarksOf = (connection: Pick<DctConnection, "call">): BookmarkDeed => ({
  intend: (name, snapshotId) => `of ${snapshotId} named ${name}`,
  look: async (_, intent, signal) =>
    await connection.call(async (dct) => {
      const { snapshot, name } = parsed(intent);
      const found = await named(dct, name, signal);
      if (found === undefined) return undefined;
      if (found.vdbs?.some(({ snapshot_id: id }) => id === snapshot) === true) return `${found.id} by ${none}`;
      throw taken(name);
    }, signal),
  begin: async (_, intent, signal) =>
    await connection.call(async (dct) => {
      const { snapshot, name } = parsed(intent);
      if ((await named(dct, name, signal)) !== undefined) throw taken(name);
      const { bookmark, jobId } = await dct.createBookmark({ name, snapshot_ids: [snapshot] }, { signal });
      return `${bookmark.id} by ${jobId}`;
    }, signal),
  end: async (_, effect, signal) => {
    const job = effect.split(" ").at(-1) ?? none;
    if (job === none) return done();
    const end = await connection.call(
      async (dct) => await waitForJob(dct, job, { signal, deadlineSeconds: patienceSeconds }),
      signal,
    );
    if (end.kind === "failed") return terminal("StorageFailed", `DCT made no bookmark: ${end.message}; the snapshot is kept`);
    return end.kind === "deadline" ? after(1, "Running", "DCT makes the bookmark") : done();
  },
});

/** A bookmark's name may have spaces, an id of DCT has none. */
function parsed(intent: string): { readonly snapshot: string; readonly name: string } {
  const [, snapshot = ""] = intent.split(" ");
  return { snapshot, name: intent.slice(`of ${snapshot} named `.length) };
}

async function named(dct: Pick<DctClient, "searchBookmarks">, name: string, signal: AbortSignal): Promise<Bookmark | undefined> {
  const [found] = await dct.searchBookmarks(eq("name", name), { limit: 1, signal });
  return found;
}

const taken = (name: string): ActionFailed =>
  new ActionFailed("StorageFailed", `DCT has another bookmark named ${name}: choose another name; the snapshot is kept`);

/** Of these snapshots, those that bookmarks name, and which. */
export async function bookmarksNaming(
  dct: Pick<DctClient, "searchBookmarks">,
  snapshots: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const all = await dct.searchBookmarks(undefined, { signal });
  const naming = (snapshot: string) => all.filter((one) => pointsOf(one).some(({ id }) => id === snapshot));
  return new Map(
    snapshots.flatMap((snapshot) => {
      const names = naming(snapshot).map(({ name, id }) => name ?? id);
      return names.length === 0 ? [] : [[snapshot, `bookmark ${names.toSorted().join(", ")}`] as const];
    }),
  );
}
