import { type ActionObject, postgresVDB, resourceOf } from "@vdb/api";
import { done, type Outcome, together, waiting } from "kube-runtime";
import { returnWords } from "../data/content-store.ts";
import { type ActionContext, keyText, nameOfTarget, vdbOf } from "./context.ts";
import { previousAfter } from "./previous-after.ts";
import { type Claimant, claimantOf, type Holder, turnOf } from "./turn.ts";

const vdbs = resourceOf(postgresVDB);

/** Whether the database says that it is this action's turn. */
export const hasTurn = (ctx: ActionContext): boolean => vdbOf(ctx)?.status.activeAction?.uid === ctx.action.metadata.uid;

/**
 * Takes the turn on the database, or says behind whom this action waits. The write is refused when anything of the database's
 * status has changed since it was read, so that two can never both have it.
 */
export async function takeTurn(ctx: ActionContext, signal: AbortSignal): Promise<Outcome> {
  const vdb = vdbOf(ctx);
  if (vdb === undefined) return waiting("VdbNotFound", "the database is gone");
  const arrivals = ctx.world.arrivals(keyText(ctx.target), [ctx.action, ...ctx.others]);
  const claimant = (action: ActionObject): Claimant => claimantOf(action, arrivals.get(action.metadata.uid) ?? 0n);
  const turn = turnOf(claimant(ctx.action), holderOf(vdb.status.activeAction), ctx.others.map(claimant));
  if (turn.kind === "behind") {
    ctx.run.marks.set(queuedMark, ctx.run.clock.monotonic());
    return waiting("Queued", `it waits behind ${wordsOf(ctx, turn.who)}`);
  }
  if (turn.kind === "ours") return done();
  const { name, namespace, uid } = ctx.action.metadata;
  const activeAction = { kind: ctx.action.kind, name, namespace, uid };
  const { resourceVersion } = vdb.metadata;
  const taken = ctx.run.client.patchStatus(vdbs, ctx.target, { metadata: { resourceVersion }, status: { activeAction } }, signal);
  await together(taken, ctx.run.addFinalizer(signal));
  return done();
}

/**
 * Lets the next one in; data that was replaced becomes the previous one in the same write. What this action has recorded is written
 * before, for another may begin at once; not past the point of no return, from where the database's status tells how it ended.
 */
export async function leaveTurn(ctx: ActionContext, isPastReturn: boolean, signal: AbortSignal): Promise<Outcome> {
  if (!hasTurn(ctx)) return done();
  if (!isPastReturn) await ctx.run.saveStatus(signal);
  const vdb = vdbOf(ctx);
  const resourceVersion = vdb?.metadata.resourceVersion ?? "";
  const { replaced } = vdb?.status.activeAction ?? {};
  const previous = replaced && previousAfter(ctx, replaced);
  const status = { activeAction: null, ...(previous === undefined ? {} : { previous }) };
  const patch = { metadata: { resourceVersion }, status };
  await ctx.run.client.patchStatus(vdbs, ctx.target, patch, signal);
  if (replaced !== undefined && previous?.until === null)
    ctx.run.event("Warning", "OldDataKept", `the old data ${replaced.id} of ${nameOfTarget(ctx)} is kept: ${returnWords}`);
  return done();
}

/** When this process last saw the action queued, in monotonic milliseconds: such waiting costs it nothing of its deadline. */
export const queuedMark = "queued";

function holderOf(
  active: (Omit<Holder, "holds"> & { readonly hold?: string; readonly replaced?: unknown }) | undefined,
): Holder | undefined {
  if (active === undefined) return undefined;
  const { kind, name, namespace, uid, hold = "none", replaced } = active;
  return { kind, name, namespace, uid, holds: hold !== "none" || replaced !== undefined };
}

function wordsOf(
  { action }: ActionContext,
  { kind, name, namespace }: { readonly kind: string; readonly name: string; readonly namespace: string },
): string {
  return `${kind} ${namespace === action.metadata.namespace ? name : `${namespace}/${name}`}`;
}
