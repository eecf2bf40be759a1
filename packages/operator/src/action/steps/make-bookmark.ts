import { done } from "kube-runtime";
import { ActionFailed } from "../../data/action-failed.ts";
import type { BookmarkDeed, Work } from "../../data/content-store.ts";
import { storeOf } from "../hold.ts";
import type { ActionStep } from "../step.ts";
import type { SnapshotContext } from "./snapshot.ts";

const none = "none";

/**
 * Makes a DCT bookmark of the snapshot, where spec.bookmarkName asks for one. It stays when the action goes. Where it cannot be made
 * the action fails, and the snapshot stays.
 */
export const makeBookmark: ActionStep<SnapshotContext> = {
  name: "bookmark",
  intend: (ctx) => {
    const { bookmarkName } = ctx.action.spec;
    if (bookmarkName === undefined) return none;
    const { id } = ctx.run.status.snapshot ?? {};
    if (id === undefined) throw noBookmarks();
    return deedIn(ctx).bookmark.intend(bookmarkName, id);
  },
  look: async (ctx, intent, signal) =>
    intent === none ? intent : await deedIn(ctx).bookmark.look(deedIn(ctx).work, intent, signal),
  begin: async (ctx, intent, signal) =>
    intent === none ? intent : await deedIn(ctx).bookmark.begin(deedIn(ctx).work, intent, signal),
  end: async (ctx, effect, signal) =>
    effect === none ? done() : await deedIn(ctx).bookmark.end(deedIn(ctx).work, effect, signal),
};

function deedIn(ctx: SnapshotContext): { readonly bookmark: BookmarkDeed; readonly work: Work } {
  const { store, work } = storeOf(ctx);
  if (store.bookmark === undefined) throw noBookmarks();
  return { bookmark: store.bookmark, work };
}

const noBookmarks = (): ActionFailed =>
  new ActionFailed("StorageFailed", "the snapshot is none of DCT's, so that no bookmark can be made of it; the snapshot is kept");
