import { durationMilliseconds } from "@vdb/api";
import { done, type Outcome, waiting } from "kube-runtime";
import { makeRoom, tellKept } from "../../data/content-store.ts";
import { asPrevious, setHold, settled, storeOf, turnVdb, writeVdb } from "../hold.ts";
import type { ActionStep } from "../step.ts";
import { chosenIn, type ReplaceContext } from "./prepare-content.ts";

/** The point of no return: the gate opens, and what clients write from then on must not be lost. */
export const openDatabase: ActionStep<ReplaceContext> = {
  name: "open-database",
  isFinal: true,
  intend: () => "none",
  awaits: () => opens,
  look: async (_, intent) => intent, // the database's status has it, and writing it again changes nothing
  begin: async (_, intent) => intent,
  end: async (ctx, _, signal) => {
    await setHold(ctx, "none", signal);
    const vdb = turnVdb(ctx);
    if (vdb.status.held?.uid === ctx.action.metadata.uid) return opens;
    return enforced(ctx, settled(vdb));
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
 * The replaced data becomes the previous one, for as long as spec.previousRetention; what was previous until now is discarded. What
 * the storage keeps of it because something depends on it stays, and is told of: the next action asks again. Past the point of no
 * return nothing fails, and nothing waits for a deletion that has begun.
 */
export const keepPrevious: ActionStep<ReplaceContext> = {
  name: "keep-previous",
  intend: (ctx) => chosenIn(ctx),
  look: async (_, intent) => intent, // each of its writes may be repeated
  begin: async (_, intent) => intent,
  end: async (ctx, _, signal) => {
    const { store, work } = storeOf(ctx);
    const { content, activeAction: { replaced } = {} } = work.vdb.status;
    const keptMs = durationMilliseconds(ctx.action.spec.previousRetention);
    if (replaced !== undefined) {
      const previous = keptMs > 0 ? replaced : undefined;
      tellKept(ctx.run, await makeRoom(store, work, [content, previous], signal));
      if (previous === undefined) tellKept(ctx.run, await store.discard(work, replaced, signal));
      const until = new Date(ctx.run.clock.now() + keptMs).toISOString();
      await writeVdb(
        ctx,
        { activeAction: { replaced: null }, previous: previous === undefined ? null : asPrevious(previous, until) },
        signal,
      );
    }
    tellKept(ctx.run, await store.clear(storeOf(ctx).work, signal));
    return done();
  },
};
