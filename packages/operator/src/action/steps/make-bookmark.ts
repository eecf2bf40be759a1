import { type Bookmark, type DctClient, eq, waitForJob } from "@vdb/dct";
import { after, done, terminal } from "kube-runtime";
import { ActionFailed } from "../../data/action-failed.ts";
import type { ActionStep } from "../step.ts";
import type { SnapshotContext } from "./snapshot.ts";

/** A longer job is waited for by the next look. */
const patienceSeconds = 10;
const none = "none";

/**
 * Makes a DCT bookmark of the snapshot, where spec.bookmarkName asks for one. It stays when the action goes. Where it cannot be made
 * the action fails, and the snapshot stays.
 */
export const makeBookmark: ActionStep<SnapshotContext> = {
  name: "bookmark",
  intend: ({ action: { spec }, run }) => {
    const { id } = run.status.snapshot ?? {};
    if (spec.bookmarkName === undefined) return none;
    if (id !== undefined) return `of ${id}`;
    throw new ActionFailed(
      "StorageFailed",
      "the snapshot is none of DCT's, so that no bookmark can be made of it; the snapshot is kept",
    );
  },
  look: async (ctx, intent, signal) => {
    if (intent === none) return intent;
    const found = await ctx.world.dct.call(async (dct) => await named(dct, ctx, signal), signal);
    if (found === undefined) return undefined;
    if (holds(found, intent)) return `${found.id} by ${none}`;
    throw taken(ctx);
  },
  begin: async (ctx, intent, signal) =>
    await ctx.world.dct.call(async (dct) => {
      if (intent === none) return intent;
      if ((await named(dct, ctx, signal)) !== undefined) throw taken(ctx);
      const wanted = { name: ctx.action.spec.bookmarkName ?? "", snapshot_ids: [intent.slice("of ".length)] };
      const { bookmark, jobId } = await dct.createBookmark(wanted, { signal });
      return `${bookmark.id} by ${jobId}`;
    }, signal),
  end: async (ctx, effect, signal) => {
    const job = effect.split(" ").at(-1) ?? none;
    if (job === none) return done();
    const end = await ctx.world.dct.call(
      async (dct) => await waitForJob(dct, job, { signal, deadlineSeconds: patienceSeconds }),
      signal,
    );
    if (end.kind === "failed") return terminal("StorageFailed", `DCT made no bookmark: ${end.message}; the snapshot is kept`);
    return end.kind === "deadline" ? after(1, "Running", "DCT makes the bookmark") : done();
  },
};

async function named(
  dct: Pick<DctClient, "searchBookmarks">,
  { action }: SnapshotContext,
  signal: AbortSignal,
): Promise<Bookmark | undefined> {
  const [found] = await dct.searchBookmarks(eq("name", action.spec.bookmarkName ?? ""), { limit: 1, signal });
  return found;
}

const holds = ({ vdbs = [] }: Bookmark, intent: string): boolean => vdbs.some(({ snapshot_id: id }) => intent === `of ${id}`);

const taken = ({ action }: SnapshotContext): ActionFailed =>
  new ActionFailed(
    "StorageFailed",
    `DCT has another bookmark named ${action.spec.bookmarkName}: choose another name; the snapshot is kept`,
  );
