import { after, done, isTrue, type Plan, type Step, waiting } from "kube-runtime";
import type { PlainVdbStep, VdbContext } from "../context.ts";
import { answerTo, dataLeftBy, isCurrent } from "../decide/hold.ts";
import { handleOfPrevious, previousOf } from "../decide/previous.ts";
import { applyService } from "./apply-service.ts";
import { detachInDct } from "./enable-in-dct.ts";
import { pendingHooks } from "./run-hooks.ts";
import { stopServer } from "./stop.ts";

/** What stays so while an action has the database stopped, if it was so. */
const kept = ["Accepted", "SourceResolved", "Provisioned", "Configured", "HooksSucceeded"] as const;

/** For an action that replaces the data: nobody is let in, then the server ends, then nothing has the data open any more. */
export function heldStopped({ vdb }: Pick<VdbContext, "vdb">): Plan<VdbContext> {
  const keep = kept.filter((type) => isTrue(vdb.status.conditions, type));
  return { steps: [...[shutGate, stopServer, detachInDct].map(untilTrouble), answerHold], keep };
}

/** The way up as far as the action lets it, and the answer that the database is there. */
export const heldOnTheWay = (steps: readonly Step<VdbContext>[]): Plan<VdbContext> => ({
  steps: [...[shutGate, ...steps].map(untilTrouble), answerHold],
});

/** Before anything else: a client that comes now would write to data that is about to go. */
const shutGate: PlainVdbStep = {
  name: "shutGate",
  run: async (ctx, signal) => (ctx.service === undefined ? done() : ((await applyService(ctx, "shut", signal)) ?? done())),
};

/** What only a person can mend is told to the action, which takes it back: the database itself is not stalled. */
const untilTrouble = (step: Step<VdbContext>): Step<VdbContext> => ({
  ...step,
  run: async (ctx, signal) => {
    const outcome = await step.run(ctx, signal);
    if (outcome.kind !== "terminal") return outcome;
    const { reason, message, again } = outcome;
    const held = answerTo(ctx.vdb, { contentId: ctx.contentId, trouble: { reason, message } });
    if (held !== undefined) ctx.run.status.held = held;
    return again === undefined ? waiting(reason, message) : { kind: "after", reason, message, again };
  },
});

/** status.held: the action goes by it alone. */
const answerHold: PlainVdbStep = {
  name: "answerHold",
  run: async ({ run, vdb, contentId }) => {
    const held = answerTo(vdb, { contentId, trouble: undefined });
    if (held !== undefined) run.status.held = held;
    return waiting("ActionRunning", actionWords(vdb));
  },
};

/** On the way to beforeOpen: an action that waits for the server hears of it before the hooks run. */
export const tellStarted: PlainVdbStep = {
  name: "tellStarted",
  run: async (ctx) => {
    const { run, vdb, contentId, wasOpened } = ctx;
    const isThere = run.status.held?.hold === "beforeOpen" && run.status.held.reason === undefined;
    if (isThere || wasOpened || pendingHooks(ctx).length === 0) return done();
    const held = answerTo(vdb, { contentId, trouble: undefined, passed: "beforeHooks" });
    if (held !== undefined) run.status.held = held; // written with the first hook's intent
    return done();
  },
};

/** Clears the turn of an action that is gone, or has ended without leaving it, and an answer that nobody waits for. */
export const tidyTurn: PlainVdbStep = {
  name: "tidyTurn",
  run: async (ctx, signal) => {
    const { run, vdb, world, contentId } = ctx;
    const { activeAction } = vdb.status;
    if (run.status.held !== undefined && !isCurrent(run.status.held, vdb, contentId)) delete run.status.held;
    if (activeAction === undefined || world.isAtWork(activeAction)) return done();
    const { replaced } = activeAction;
    if (replaced !== undefined) {
      await discardOlder(ctx, signal);
      run.status.previous = structuredClone(previousOf(replaced, run.clock.now())); // nobody is left to put it back: it is kept
    }
    const left = dataLeftBy(activeAction, vdb.status);
    if (left !== undefined) run.status.content = left;
    delete run.status.activeAction;
    delete run.status.held;
    await run.saveStatus(signal);
    const hooks = left === undefined ? "" : ", with its hooks first: that action may have changed its data";
    run.event(
      "Normal",
      "TurnCleared",
      `${activeAction.kind} ${activeAction.name} is gone: the database comes up as declared${hooks}`,
    );
    return after(0, "ActionRunning", "an action that worked on the database is gone");
  },
};

/** What was previous until now makes room. What the storage keeps of it goes at the end of what is previous from now on. */
async function discardOlder({ run, vdb, world }: VdbContext, signal: AbortSignal): Promise<void> {
  const { previous } = vdb.status;
  if (previous === undefined) return;
  const left = await world.sources.holding(vdb)?.discard(handleOfPrevious(vdb.status), true, signal);
  if (left?.kind === "kept")
    run.event("Normal", "PreviousKept", `the older data ${previous.id} stays until what replaces it goes: ${left.message}`);
}

export function actionWords({ status: { activeAction }, metadata }: VdbContext["vdb"]): string {
  if (activeAction === undefined) return "no action works on the database";
  const { kind, name, namespace } = activeAction;
  return `${kind} ${namespace === metadata.namespace ? name : `${namespace}/${name}`} works on the database`;
}
