import type { PostgresVDB, VdbHold } from "@vdb/api";
import { beginsNothing, done, type Outcome, terminal, waiting } from "kube-runtime";
import type { ActionContext } from "../context.ts";
import { answeringPod } from "../database.ts";
import { heldAt, setHold, settled, turnVdb } from "../hold.ts";
import type { ActionStep } from "../step.ts";

/**
 * Has the database stopped: nobody is let in, its pod is gone, nothing has its data open. Taken back, the database comes up again:
 * done when it answers, or has the trouble that it had before.
 *
 * It is told to stop beside the write that announces it. An operator that dies before that write finds the hold in the database's
 * status and goes on; the hold of an action that is taken back goes with its turn.
 */
export const holdDatabase: ActionStep<ActionContext> = {
  ...holding("hold-database", "stopped"),
  intend: (ctx) => `stopped; before it was ${settled(turnVdb(ctx))}`,
  beside: async (ctx, signal) => await setHold(ctx, "stopped", signal),
  undo: async (ctx, effect, signal) => {
    await setHold(ctx, "none", signal);
    const vdb = turnVdb(ctx);
    if (isTold(vdb, ctx)) return waiting("RollingBack", "the database comes up on its old data");
    const now = settled(vdb);
    if (now === "asDeclared" || effect.endsWith("stalled") || effect.endsWith("underWay")) return done();
    return now === "stalled"
      ? terminal(
          "RollbackFailed",
          `the old data (${vdb.status.content?.id}) is in place, but the database does not come up: ${vdb.status.lastError}`,
        )
      : waiting("RollingBack", "the database comes up on its old data");
  },
};

/** How far the database comes up on new data before it waits: as far as the action's own script, or to the gate at once. */
export const wayUp = ({ action: { spec } }: ActionContext): VdbHold =>
  "postRefresh" in spec || "postRewind" in spec ? "beforeHooks" : "beforeOpen";

/**
 * Has the server up on the new data behind the shut gate. Where nothing of the action's own runs before the hooks, the pod that answers
 * tells it: the database's word would come with the next one only.
 */
export const awaitDatabase: ActionStep<ActionContext> = {
  ...holding("await-database", "beforeHooks", wayUp),
  end: async (ctx, _, signal) => {
    await setHold(ctx, wayUp(ctx), signal);
    const outcome = answered(ctx, "beforeHooks", "StartFailed");
    const isUp = wayUp(ctx) === "beforeOpen" && answeringPod(ctx, turnVdb(ctx)) !== undefined;
    return outcome.kind === "waiting" && isUp ? done() : outcome;
  },
  undo: stopAgain,
};

/** Has the database's own hooks run on the new data. */
export const awaitHooks: ActionStep<ActionContext> = { ...holding("await-hooks", "beforeOpen"), undo: stopAgain };

function holding(name: string, hold: VdbHold, asked: (ctx: ActionContext) => VdbHold = () => hold): ActionStep<ActionContext> {
  return {
    name,
    intend: () => hold,
    awaits: (ctx) => (heldAt(ctx, hold).kind === "notYet" ? waiting("Running", waits[hold]) : undefined),
    ...beginsNothing, // the database's status has it, and writing it again changes nothing
    end: async (ctx, _, signal) => {
      await setHold(ctx, asked(ctx), signal);
      return answered(ctx, hold, "StartFailed");
    },
  };
}

/** What was started on the new data goes before that data does. */
async function stopAgain(ctx: ActionContext, _: string, signal: AbortSignal): Promise<Outcome> {
  await setHold(ctx, "stopped", signal);
  return answered(ctx, "stopped", "RollbackFailed");
}

function answered(ctx: ActionContext, hold: VdbHold, failure: string): Outcome {
  const held = heldAt(ctx, hold);
  switch (held.kind) {
    case "there":
      return done();
    case "notYet":
      return waiting("Running", waits[hold]);
    case "trouble":
      return terminal(held.reason.startsWith("Hook") ? "HookFailed" : failure, held.message);
    default:
      return held satisfies never;
  }
}

const waits: Readonly<Record<VdbHold, string>> = {
  stopped: "PostgreSQL shuts down",
  beforeHooks: "PostgreSQL starts on the new data",
  beforeOpen: "the hooks run on the new data",
  none: "the gate opens",
};

/** Whether the conditions may still tell of the hold. */
const isTold = ({ status }: PostgresVDB, { action }: ActionContext): boolean => status.held?.uid === action.metadata.uid;
