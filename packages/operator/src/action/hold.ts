import { isSwitchedOn, type PostgresVDB, postgresVDB, resourceOf, type VdbContent, type VdbHold } from "@vdb/api";
import { type Client, findCondition, isTrue, type JournalStep, type MergePatch, timestamp } from "kube-runtime";
import { ActionFailed } from "../data/action-failed.ts";
import type { ContentStore, Deed, Work } from "../data/content-store.ts";
import { heldStatus } from "../vdb/decide/hold.ts";
import { contentIdOfAction } from "../vdb/names.ts";
import { type ActionContext, nameOfTarget, vdbOf } from "./context.ts";

const vdbs = resourceOf(postgresVDB);
type Status = PostgresVDB["status"];

/** The database whose turn this action has. A throw: it has not, and nothing of it may be written. */
export function turnVdb(ctx: ActionContext): PostgresVDB {
  const vdb = vdbOf(ctx);
  if (vdb?.status.activeAction?.uid !== ctx.action.metadata.uid)
    throw new ActionFailed("VdbNotFound", `${nameOfTarget(ctx)} does not give this action its turn any more`);
  return vdb;
}

/** Where the data of the database is whose turn this action has, and on whose behalf it is worked on. */
export function storeOf(ctx: ActionContext): { readonly store: ContentStore; readonly work: Work } {
  const vdb = turnVdb(ctx);
  const store = ctx.world.sources.holding(vdb)?.content;
  if (store === undefined)
    throw new ActionFailed("VdbNotReady", `this version serves no data of spec.source.type ${vdb.spec.source.type}`);
  const { name, uid } = ctx.action.metadata;
  return { store, work: { client: ctx.run.client, vdb, action: { name, uid } } };
}

/** How a step begins what a store does, and finds it again. */
export const begunBy = (deedIn: (store: ContentStore) => Deed): Pick<JournalStep<ActionContext>, "look" | "begin"> => ({
  look: async (ctx, intent, signal) => {
    const { store, work } = storeOf(ctx);
    return await deedIn(store).look(work, intent, signal);
  },
  begin: async (ctx, intent, signal) => {
    const { store, work } = storeOf(ctx);
    return await deedIn(store).begin(work, intent, signal);
  },
});

/** Writes to the database's status, if there is anything to write; refused when anything of it has changed since it was read. */
export async function writeVdb(ctx: ActionContext, status: MergePatch<Status>, signal: AbortSignal): Promise<void> {
  if (Object.keys(status).length === 0) return;
  const { resourceVersion } = turnVdb(ctx).metadata;
  const client: Client = ctx.run.client;
  await client.patchStatus(vdbs, ctx.target, { metadata: { resourceVersion }, status }, signal);
}

export async function setHold(ctx: ActionContext, hold: VdbHold, signal: AbortSignal): Promise<void> {
  await writeVdb(ctx, holdPatch(ctx, hold), signal);
}

/** What a hold writes to the database's status; nothing, if it is there. */
export function holdPatch(ctx: ActionContext, hold: VdbHold): MergePatch<Status> {
  const vdb = turnVdb(ctx);
  if ((vdb.status.activeAction?.hold ?? "none") === hold) return {};
  return { activeAction: { hold }, ...heldStatus(vdb, hold, ctx.run.clock.now()) };
}

/**
 * Gives up the hold, and records the data as opened in the same write: its hooks have run, and no operator runs them again. One that
 * is switched off is not opened: it stops.
 */
export async function letOpen(ctx: ActionContext, signal: AbortSignal): Promise<void> {
  const vdb = turnVdb(ctx);
  const { activeAction: { hold = "none" } = {}, content } = vdb.status;
  if (hold === "none") return;
  const isToOpen = isSwitchedOn(vdb) && content?.openedTime === undefined && heldAt(ctx, "beforeOpen").kind === "there";
  const opened = isToOpen ? { content: { openedTime: timestamp(ctx.run.clock.now()) } } : {};
  await writeVdb(ctx, { activeAction: { hold: "none" }, ...opened }, signal);
}

/**
 * Whether the new data of this action was let open: from there on it goes on to its end, whatever is recorded of its steps. Until then
 * it is held, from the write that put it in its place.
 */
export function isLetOpen(ctx: ActionContext): boolean {
  const { activeAction, content } = vdbOf(ctx)?.status ?? {};
  const { uid } = ctx.action.metadata;
  return activeAction?.uid === uid && (activeAction.hold ?? "none") === "none" && content?.id === contentIdOfAction(uid);
}

/** What the database says of a hold on its present data: nothing yet, that it is there, or why it cannot get there. */
export type Held =
  | { readonly kind: "notYet" }
  | { readonly kind: "there" }
  | { readonly kind: "trouble"; readonly reason: string; readonly message: string };

export function heldAt(ctx: ActionContext, hold: VdbHold): Held {
  const { held, content } = turnVdb(ctx).status;
  if (held?.uid !== ctx.action.metadata.uid || !reaches(held.hold, hold) || held.contentId !== content?.id)
    return { kind: "notYet" };
  return held.reason === undefined ? { kind: "there" } : { kind: "trouble", reason: held.reason, message: held.message ?? "" };
}

/** A database that has come as far as the hooks' end had its server up before them. */
const reaches = (held: VdbHold, hold: VdbHold): boolean => held === hold || (held === "beforeOpen" && hold === "beforeHooks");

/** The old data aside, with what is known of it by now, and the new in its place, and how far the database comes up, in one write. */
export async function swapContent(
  ctx: ActionContext,
  { next, present, hold }: { readonly next: VdbContent; readonly present: Partial<VdbContent>; readonly hold: VdbHold },
  signal: AbortSignal,
): Promise<void> {
  const { content, source } = turnVdb(ctx).status;
  if (content === undefined || content.id === next.id) return;
  const activeAction = { hold, replaced: { ...content, ...present } };
  await writeVdb(ctx, { ...whole(next, source), activeAction, held: null }, signal); // the answer was one about the old data
}

/** The old data as it was, under the id that it had. */
export async function putBack(ctx: ActionContext, signal: AbortSignal): Promise<void> {
  const { activeAction, source } = turnVdb(ctx).status;
  if (activeAction?.replaced === undefined) return;
  await writeVdb(ctx, { ...whole(activeAction.replaced, source), activeAction: { replaced: null } }, signal);
}

const noFields = {
  claimName: null,
  handle: null,
  timeflow: null,
  dataTimestamp: null,
  takenOpen: null,
  cleanedTime: null,
  openedTime: null,
};

/** Replaced data as the previous one, with nothing left over from what was previous before it. `until` null: it has no end. */
export function asPrevious(replaced: VdbContent, until: string | null): MergePatch<NonNullable<Status["previous"]>> {
  const { id = null, name = null } = replaced.snapshot ?? {};
  return { ...noFields, ...replaced, snapshot: replaced.snapshot === undefined ? null : { id, name }, until };
}

/** A content with nothing left over from the one before it, and what the status says of it in other places. */
function whole(content: VdbContent, source: Status["source"]): MergePatch<Status> {
  const { snapshot = {}, dataTimestamp = null } = content;
  return {
    content: { ...noFields, ...content, snapshot: { id: snapshot.id ?? null, name: snapshot.name ?? null } },
    dataTimestamp,
    ...(content.claimName === undefined ? {} : { pvcName: content.claimName }),
    ...(content.handle === undefined ? {} : { delphixID: content.handle }),
    ...(source === undefined ? {} : { source: { snapshotId: snapshot.id ?? null, snapshotName: snapshot.name ?? null } }),
  };
}

/**
 * What the database was before this action held it. Where a hold is written beside what tells of it, and an operator dies between the
 * two, nobody could tell any more: so that is done for one alone that was as declared (`mayHoldBeside`).
 */
export function beforeHold(ctx: ActionContext): ReturnType<typeof settled> {
  const vdb = turnVdb(ctx);
  return (vdb.status.activeAction?.hold ?? "none") === "none" ? settled(vdb) : "asDeclared";
}
export const mayHoldBeside = (ctx: ActionContext): boolean => settled(turnVdb(ctx)) === "asDeclared";

/** Whether the database is as its manifest has it, or will not get there by itself. */
export function settled({ spec, status, metadata }: PostgresVDB): "asDeclared" | "stalled" | "underWay" {
  const { conditions, observedGeneration } = status;
  if (isTrue(conditions, "Stalled")) return "stalled";
  if (isTrue(conditions, "Ready") && status.content?.openedTime !== undefined) return "asDeclared";
  const isStopped = !isSwitchedOn({ spec, status }) && findCondition(conditions, "Deployed")?.reason === "Stopped";
  return isStopped && observedGeneration === metadata.generation ? "asDeclared" : "underWay";
}
