import { createHash } from "node:crypto";
import type { VdbContent } from "@vdb/api";
import { done, type Outcome, waiting } from "kube-runtime";
import { beginChange, changeBegun, changeEnded, changeIn, currentOf, takeBack, vdbIn } from "../content/change.ts";
import type { ActionContext } from "../context.ts";
import { heldAt, putBack, setHold, swapContent, turnVdb } from "../hold.ts";
import type { ActionStep } from "../step.ts";
import { wayUp } from "./hold-database.ts";
import { chosenIn, isTakenOpen, type ReplaceContext } from "./prepare-content.ts";

/**
 * Changes the data in DCT, in place, while nothing has it open; then the database has a new content, in one write. Taken back, the
 * old data is current again, under the id that it had.
 */
export function cutOver(madeBy: "refresh" | "rewind"): ActionStep<ReplaceContext> {
  return {
    name: "cut-over",
    intend: (ctx) => chosenIn(ctx),
    look: async (ctx, intent, signal) => {
      const job = await ctx.world.dct.call(async (dct) => await changeBegun(dct, changeIn(intent), signal), signal);
      return job === undefined ? undefined : `${intent} by ${job}`;
    },
    begin: async (ctx, intent, signal) =>
      `${intent} by ${await ctx.world.dct.call(async (dct) => await beginChange(dct, changeIn(intent), signal), signal)}`,
    end: async (ctx, effect, signal) => {
      const job = effect.split(" ").at(-1) ?? "none";
      const change = changeIn(effect);
      const ended = await ctx.world.dct.call(async (dct) => await changeEnded(dct, change, job, signal), signal);
      if (ended.kind !== "done") return ended;
      await swapContent(ctx, await nextContent(ctx, madeBy, signal), wayUp(ctx), signal);
      return done({ message: `the database has the data of ${ctx.run.status.snapshot?.timestamp ?? change.to}` });
    },
    undo: async (ctx, effect, signal) => (await stopped(ctx, signal)) ?? (await back(ctx, effect, madeBy, signal)),
  };
}

/** Names the data that this action brings: by its uid, so that an operator that died comes to the same. */
export const contentIdFor = ({ action }: Pick<ActionContext, "action">): string =>
  createHash("sha256").update(`content of ${action.metadata.uid}`).digest("hex").slice(0, 12);

async function nextContent(ctx: ReplaceContext, madeBy: "refresh" | "rewind", signal: AbortSignal): Promise<VdbContent> {
  const { content, delphixID = "" } = turnVdb(ctx).status;
  const { snapshot } = ctx.run.status;
  const vdb = await ctx.world.dct.call(async (dct) => await vdbIn(dct, delphixID, signal), signal);
  const dataTimestamp = snapshot?.timestamp ?? vdb.parent_timeflow_timestamp;
  return {
    id: contentIdFor(ctx),
    madeBy,
    ...(content?.claimName === undefined ? {} : { claimName: content.claimName }),
    ...(content?.handle === undefined ? {} : { handle: content.handle }),
    ...(dataTimestamp === undefined ? {} : { dataTimestamp }),
    ...(madeBy === "rewind" ? { takenOpen: await isTakenOpen(ctx, signal) } : {}),
    ...(snapshot?.id === undefined
      ? {}
      : { snapshot: { id: snapshot.id, ...(snapshot.name === undefined ? {} : { name: snapshot.name }) } }),
  };
}

/** DCT changes no data that is in use. */
async function stopped(ctx: ActionContext, signal: AbortSignal): Promise<Outcome | undefined> {
  await setHold(ctx, "stopped", signal);
  return heldAt(ctx, "stopped").kind === "there" ? undefined : waiting("RollingBack", "PostgreSQL shuts down on the new data");
}

/** The new data has its own name before it is taken back: whatever fails now, nobody is let in to it as if it were the old. */
async function back(ctx: ReplaceContext, effect: string, madeBy: "refresh" | "rewind", signal: AbortSignal): Promise<Outcome> {
  const change = changeIn(effect);
  const current = await ctx.world.dct.call(async (dct) => await currentOf(dct, change.vdb, signal), signal);
  if (current !== change.before) await swapContent(ctx, await nextContent(ctx, madeBy, signal), "stopped", signal);
  const outcome = await ctx.world.dct.call(async (dct) => await takeBack(dct, change, signal), signal);
  if (outcome.kind !== "done") return outcome;
  await putBack(ctx, signal);
  return done();
}
