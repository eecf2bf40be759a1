import { beginsNothing, done, type Outcome, waiting } from "kube-runtime";
import { makeRoom, tellKept } from "../../data/content-store.ts";
import { vdbOf } from "../context.ts";
import { letOpen, settled, storeOf, turnVdb } from "../hold.ts";
import { keepsPrevious, keptMs } from "../previous-after.ts";
import type { ActionStep } from "../step.ts";
import { chosenIn, type ReplaceContext } from "./prepare-content.ts";

/** The point of no return: the gate opens beside the write that says so, and what clients write from then on must not be lost. */
export const openDatabase: ActionStep<ReplaceContext> = {
  name: "open-database",
  isFinal: true,
  intend: () => "none",
  awaits: () => opens,
  beside: letOpen,
  ...beginsNothing, // the database's status has it, and writing it again changes nothing
  end: async (ctx, _, signal) => {
    await letOpen(ctx, signal);
    const vdb = turnVdb(ctx);
    if (vdb.status.held?.uid === ctx.action.metadata.uid) return opens;
    return enforced(ctx, settled(vdb));
  },
  recall: (ctx) => {
    const vdb = vdbOf(ctx);
    if (vdb !== undefined) enforced(ctx, settled(vdb));
  },
};

const opens = waiting("Running", "the gate opens");

/** ModeEnforced: a database that cannot come up as declared is told of; the data is the new one all the same. */
function enforced({ run, world, target }: ReplaceContext, state: ReturnType<typeof settled>): Outcome {
  const vdb = world.caches.vdbs.get(target);
  const type = "ModeEnforced";
  switch (state) {
    case "underWay":
      return opens;
    case "stalled": {
      const message = vdb?.status.lastError ?? "see the conditions of the database";
      run.setCondition({ type, status: "False", reason: "NotEnforced", message });
      return done({ message });
    }
    case "asDeclared": {
      run.setCondition({
        type,
        status: "True",
        reason: "Enforced",
        message: `the database runs in mode ${vdb?.spec.mode ?? "Primary"}`,
      });
      return done();
    }
    default:
      return state satisfies never;
  }
}

/**
 * Discards what was previous until now: the replaced data takes its place when the turn is left, for as long as
 * spec.previousRetention. What the storage keeps because something depends on it stays, and is told of: the next action asks again.
 * Past the point of no return nothing fails, and nothing waits for a deletion that has begun.
 */
export const keepPrevious: ActionStep<ReplaceContext> = {
  name: keepsPrevious,
  intend: (ctx) => chosenIn(ctx),
  isQuiet: () => true,
  ...beginsNothing, // what it does may be repeated
  end: async (ctx, _, signal) => {
    const { store, work } = storeOf(ctx);
    const { previous: _previous, ...status } = work.vdb.status;
    const { content, activeAction: { replaced } = {} } = status;
    const isKept = keptMs(ctx.action) > 0;
    if (replaced !== undefined) {
      tellKept(ctx.run, await makeRoom(store, work, [content, isKept ? replaced : undefined], signal));
      if (!isKept) tellKept(ctx.run, await store.discard(work, replaced, signal));
    }
    const left = replaced === undefined ? work : { ...work, vdb: { ...work.vdb, status } };
    tellKept(ctx.run, await store.clear(left, signal));
    return done();
  },
};
