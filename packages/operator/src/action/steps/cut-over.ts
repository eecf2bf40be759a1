import type { SnapshotStatus, VdbContent } from "@vdb/api";
import { done, type Outcome, waiting } from "kube-runtime";
import { contentIdOfAction } from "../../vdb/names.ts";
import type { ActionContext } from "../context.ts";
import { begunBy, heldAt, putBack, setHold, storeOf, swapContent } from "../hold.ts";
import type { ActionStep } from "../step.ts";
import { lacksStop, wayUp } from "./hold-database.ts";
import { chosenIn, type ReplaceContext } from "./prepare-content.ts";

/** A storage that refuses to give the old data back is asked again for so long: the refusal may pass. */
const patienceSeconds = 600;

/**
 * Gives the database other data, while nothing has the old open; then it has a new content, in one write. Taken back, the old data
 * is in its place again, under the id that it had.
 */
export function cutOver(madeBy: "refresh" | "rewind"): ActionStep<ReplaceContext> {
  return {
    name: "cut-over",
    intend: (ctx) => chosenIn(ctx),
    awaits: lacksStop,
    lacks: lacksStop,
    ...begunBy((store) => store.cutOver),
    end: async (ctx, effect, signal) => {
      const { store, work } = storeOf(ctx);
      const ended = await store.cutOver.end(work, effect, signal);
      if (ended.kind !== "done") return ended;
      const { dataTimestamp } = await swap(ctx, effect, { madeBy, hold: wayUp(ctx) }, signal);
      return done({ message: `the database has ${dataTimestamp === undefined ? "other data" : `the data of ${dataTimestamp}`}` });
    },
    undo: async (ctx, effect, signal) => (await stopped(ctx, signal)) ?? (await back(ctx, effect, madeBy, signal)),
  };
}

async function swap(
  ctx: ReplaceContext,
  effect: string,
  { madeBy, hold }: { readonly madeBy: "refresh" | "rewind"; readonly hold: "stopped" | ReturnType<typeof wayUp> },
  signal: AbortSignal,
): Promise<VdbContent> {
  const { store, work } = storeOf(ctx);
  const { snapshot } = ctx.run.status;
  const { dataTimestamp, ...brought } = await store.brought(work, effect, signal);
  const timestamp = snapshot?.timestamp ?? dataTimestamp;
  const next: VdbContent = {
    id: contentIdOfAction(ctx.action.metadata.uid),
    madeBy,
    ...brought,
    ...(timestamp === undefined ? {} : { dataTimestamp: timestamp }),
    ...(snapshot === undefined || snapshot.type === "previous" ? {} : namesOf(snapshot)),
  };
  await swapContent(ctx, { next, present: store.present(chosenIn(ctx)), hold }, signal);
  return next;
}

function namesOf({ id, name }: SnapshotStatus): Pick<VdbContent, "snapshot"> {
  const names = { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
  return Object.keys(names).length === 0 ? {} : { snapshot: names };
}

/** No storage changes data that is in use. */
async function stopped(ctx: ActionContext, signal: AbortSignal): Promise<Outcome | undefined> {
  await setHold(ctx, "stopped", signal);
  return heldAt(ctx, "stopped").kind === "there" ? undefined : waiting("RollingBack", "PostgreSQL shuts down on the new data");
}

/** The new data has its own name before it is taken back: whatever fails now, nobody is let in to it as if it were the old. */
async function back(ctx: ReplaceContext, effect: string, madeBy: "refresh" | "rewind", signal: AbortSignal): Promise<Outcome> {
  const { store, work } = storeOf(ctx);
  if (await store.isCutOver(work, effect, signal)) await swap(ctx, effect, { madeBy, hold: "stopped" }, signal);
  const outcome = await store.giveBack(storeOf(ctx).work, effect, isLastTry(ctx), signal);
  if (outcome.kind !== "done") return outcome;
  await putBack(ctx, signal);
  return done();
}

const isLastTry = ({ run: { status, clock } }: ReplaceContext): boolean =>
  clock.now() - Date.parse(status.rollback?.startTime ?? "") >= patienceSeconds * 1000;
