import type { PostgresVDB, VdbHold } from "@vdb/api";
import { beginsNothing, done, type Outcome, terminal, type Unmet, waiting } from "kube-runtime";
import { runningPods } from "../../vdb/context.ts";
import { type ActionContext, podsOf } from "../context.ts";
import { answeringPod } from "../database.ts";
import { beforeHold, heldAt, isLetOpen, mayHoldBeside, setHold, settled, turnVdb } from "../hold.ts";
import type { ActionStep } from "../step.ts";

/**
 * Has the server ended, which nobody is let in to any more. What changes the data waits in its turn for the database's word that
 * nothing has it open (`lacksStop`). Taken back, the database comes up again: done when it answers, or has the trouble that it had
 * before.
 *
 * One that was as declared is told to stop beside the write that announces it. An operator that dies before that write finds the hold
 * in the database's status and goes on; the hold of an action that is taken back goes with its turn.
 */
export const holdDatabase: ActionStep<ActionContext> = {
  ...holding("hold-database", "stopped"),
  intend: (ctx) => `stopped; before it was ${beforeHold(ctx)}`,
  beside: async (ctx, signal) => {
    if (mayHoldBeside(ctx)) await setHold(ctx, "stopped", signal);
  },
  end: async (ctx, _, signal) => {
    const outcome = await bring(ctx, "stopped", signal);
    const hasEnded = runningPods({ pods: podsOf(ctx, turnVdb(ctx)) }).length === 0;
    return outcome.kind === "waiting" && hasEnded ? done() : outcome;
  },
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

/** What a step that changes the data lacks until the database says that nothing has it open. */
export function lacksStop(ctx: ActionContext): Unmet | undefined {
  const outcome = answered(ctx, "stopped", "StartFailed");
  if (outcome.kind === "done") return undefined;
  return outcome.kind === "terminal" ? outcome : waiting("Running", "PostgreSQL has shut down; its volume is detached");
}

/** How far the database comes up on new data before it waits: as far as the action's own script, or to the gate at once. */
export const wayUp = ({ action: { spec } }: ActionContext): VdbHold =>
  "postRefresh" in spec || "postRewind" in spec ? "beforeHooks" : "beforeOpen";

/**
 * Has the server up on the new data behind the shut gate. Where nothing of the action's own runs before the hooks, the pod that answers
 * tells it: the database's word would come with the next one only.
 */
export const awaitDatabase: ActionStep<ActionContext> = {
  ...holding("await-database", "beforeHooks"),
  end: async (ctx, _, signal) => {
    const outcome = await bring(ctx, "beforeHooks", signal, { asked: wayUp(ctx) });
    const isUp = wayUp(ctx) === "beforeOpen" && answeringPod(ctx, turnVdb(ctx)) !== undefined;
    return outcome.kind === "waiting" && isUp ? done() : outcome;
  },
  undo: stopAgain,
};

/**
 * Has the database's own hooks run on the new data. The gate opens beside the write of their end: an operator that died before that
 * write finds it open, and shuts it no more.
 */
export const awaitHooks: ActionStep<ActionContext> = {
  ...holding("await-hooks", "beforeOpen"),
  end: async (ctx, _, signal) => (isLetOpen(ctx) ? done() : await bring(ctx, "beforeOpen", signal)),
  undo: stopAgain,
};

function holding(name: string, hold: VdbHold): Omit<ActionStep<ActionContext>, "end"> {
  return {
    name,
    intend: () => hold,
    awaits: (ctx) => (heldAt(ctx, hold).kind === "notYet" ? waiting("Running", waits[hold]) : undefined),
    ...beginsNothing, // the database's status has it, and writing it again changes nothing
  };
}

/** What was started on the new data goes before that data does. */
async function stopAgain(ctx: ActionContext, _: string, signal: AbortSignal): Promise<Outcome> {
  return await bring(ctx, "stopped", signal, { failure: "RollbackFailed" });
}

/** Has the database come to `hold`, or on its way further, to `asked`. */
async function bring(
  ctx: ActionContext,
  hold: VdbHold,
  signal: AbortSignal,
  { asked = hold, failure = "StartFailed" }: { readonly asked?: VdbHold; readonly failure?: string } = {},
): Promise<Outcome> {
  await setHold(ctx, asked, signal);
  return answered(ctx, hold, failure);
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
