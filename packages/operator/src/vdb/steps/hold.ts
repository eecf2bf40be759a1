import type { VdbContent } from "@vdb/api";
import { after, done, isTrue, type Plan, type Step, together, type Unmet, waiting } from "kube-runtime";
import { makeRoom, type Standing, tellKept } from "../../data/content-store.ts";
import type { Discard } from "../../data/source.ts";
import type { PlainVdbStep, RunningContext, VdbContext } from "../context.ts";
import { answerTo, isCurrent, type LeftBehind, leftBehind, mayHaveChanged } from "../decide/hold.ts";
import { previousOf } from "../decide/previous.ts";
import type { ActionHolder } from "../world.ts";
import { applyService } from "./apply-service.ts";
import { detachInDct } from "./enable-in-dct.ts";
import { lookAgain } from "./open-gate.ts";
import { pendingHooks } from "./run-hooks.ts";
import { stopServer } from "./stop.ts";

/** What stays so while an action has the database stopped, if it was so. */
const kept = ["Accepted", "SourceResolved", "Provisioned", "Configured", "HooksSucceeded"] as const;

/** For an action that replaces the data: nobody is let in and the server ends, then nothing has the data open any more. */
export function heldStopped({ vdb }: Pick<VdbContext, "vdb">): Plan<VdbContext> {
  const keep = kept.filter((type) => isTrue(vdb.status.conditions, type));
  return { steps: [...[shutAndStop, detachInDct].map(untilTrouble), answerHold], keep };
}

/** Beside each other: what a client writes until the server ends goes with the old data, and the new has a pod only after both. */
const shutAndStop: PlainVdbStep = {
  name: stopServer.name,
  run: async (ctx, signal) => {
    const [shut, stopped] = await together(shutGate.run(ctx, signal), stopServer.run(ctx, signal));
    return shut.kind === "done" ? stopped : shut;
  },
};

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

/** At beforeOpen: what hooks have left is known before the action passes the point of no return. */
export const askAfterHooks: PlainVdbStep<RunningContext> = {
  name: "askAfterHooks",
  run: async (ctx, signal) => {
    const { held } = ctx.vdb.status;
    const isAsked = held?.hold === "beforeOpen" && held.reason === undefined && isCurrent(held, ctx.vdb, ctx.contentId);
    return isAsked ? done() : ((await lookAgain(ctx, signal)) ?? done());
  },
};

/**
 * Clears the turn of an action that is gone, or has ended without leaving it, and an answer that nobody waits for. Where that action
 * may have changed the data, the storage is asked first which data it has: nobody is let in to data under another's name.
 */
export const tidyTurn: PlainVdbStep = {
  name: "tidyTurn",
  run: async (ctx, signal) => {
    const { run, vdb, world, contentId } = ctx;
    const { activeAction, content } = vdb.status;
    if (run.status.held !== undefined && !isCurrent(run.status.held, vdb, contentId)) delete run.status.held;
    if (activeAction === undefined || world.isAtWork(activeAction)) return done();
    if (content !== undefined && mayHaveChanged(vdb.status)) {
      const left = await leftIn(ctx, activeAction, content, signal);
      if ("kind" in left) return left;
      await takeOver(ctx, left, signal);
    }
    await clearPrepared(ctx, activeAction, signal);
    delete run.status.activeAction;
    delete run.status.held;
    await run.saveStatus(signal);
    const isOther = run.status.content?.id !== content?.id;
    run.event(
      "Normal",
      "TurnCleared",
      `${activeAction.kind} ${activeAction.name} is gone: the database comes up as declared${isOther ? ` on the data ${run.status.content?.id}` : ""}`,
    );
    return after(0, "ActionRunning", "an action that worked on the database is gone");
  },
};

/** Which data is left; an outcome: that is not sure yet. */
async function leftIn(
  { run, vdb, world }: VdbContext,
  activeAction: ActionHolder,
  content: VdbContent,
  signal: AbortSignal,
): Promise<LeftBehind | Unmet<"ActionRunning">> {
  const store = world.sources.holding(vdb)?.content;
  const standing: Standing = (await store?.standing({ client: run.client, vdb }, signal)) ?? { kind: "unknown" };
  if (standing.kind === "underWay") return after(1, "ActionRunning", standing.message);
  if (standing.kind === "asRecorded") {
    const mark = `turn of ${activeAction.uid} is left`;
    const sinceMs = run.marks.get(mark) ?? run.clock.monotonic();
    run.marks.set(mark, sinceMs);
    const leftMs = sinceMs + standing.sureAfterSeconds * 1000 - run.clock.monotonic();
    if (leftMs > 0)
      return after(leftMs / 1000, "ActionRunning", "an action is gone: what it asked of the storage may still come");
    run.marks.delete(mark);
  }
  return leftBehind(activeAction, content, standing);
}

/** Writes down which data is left. What was previous makes room; what the storage keeps of that goes with the next action. */
async function takeOver({ run, vdb, world }: VdbContext, left: LeftBehind, signal: AbortSignal): Promise<void> {
  const { content, previous, unwanted } = left;
  const store = world.sources.holding(vdb)?.content;
  const place = { client: run.client, vdb };
  const discarded: Discard[] = [];
  if (store !== undefined && previous !== undefined) discarded.push(await makeRoom(store, place, [content, previous], signal));
  if (store !== undefined && unwanted !== undefined) discarded.push(await store.discard(place, unwanted, signal));
  for (const one of discarded) tellKept(run, one);
  // Nobody is left to put it back: it is kept.
  if (previous !== undefined) run.status.previous = structuredClone(previousOf(previous, run.clock.now()));
  if (content.id === vdb.status.content?.id) return;
  run.status.content = structuredClone(content);
  if (content.dataTimestamp === undefined) delete run.status.dataTimestamp;
  else run.status.dataTimestamp = content.dataTimestamp;
  const { source } = run.status;
  if (source === undefined) return;
  delete source.snapshotId;
  delete source.snapshotName;
  if (content.snapshot?.id !== undefined) source.snapshotId = content.snapshot.id;
  if (content.snapshot?.name !== undefined) source.snapshotName = content.snapshot.name;
}

/** What the action had prepared for data that did not come. What the storage keeps of it goes with the next action. */
async function clearPrepared({ run, vdb, world }: VdbContext, { name, uid }: ActionHolder, signal: AbortSignal): Promise<void> {
  const store = world.sources.holding(vdb)?.content;
  const { content, previous } = run.status;
  if (store === undefined || content === undefined) return;
  const status = { ...vdb.status, content, ...(previous === undefined ? {} : { previous }) };
  tellKept(run, await store.clear({ client: run.client, vdb: { ...vdb, status }, action: { name, uid } }, signal));
}

export function actionWords({ status: { activeAction }, metadata }: VdbContext["vdb"]): string {
  if (activeAction === undefined) return "no action works on the database";
  const { kind, name, namespace } = activeAction;
  return `${kind} ${namespace === metadata.namespace ? name : `${namespace}/${name}`} works on the database`;
}
