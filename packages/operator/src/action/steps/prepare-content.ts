import type { PostgresRefresh, PostgresRewind, VDBRefresh, VDBRewind } from "@vdb/api";
import { after, done } from "kube-runtime";
import { nothingToDo, tellKept, type Wanted } from "../../data/content-store.ts";
import type { ActionContext } from "../context.ts";
import { requireAsPlanned } from "../foresee.ts";
import { begunBy, holdPatch, mayHoldBeside, storeOf, turnVdb, writeVdb } from "../hold.ts";
import type { ActionStep } from "../step.ts";

export type ReplaceContext = ActionContext<VDBRefresh | PostgresRefresh | VDBRewind | PostgresRewind>;

const name = "prepare-content";

/**
 * Finds the data that the database gets, and prepares what can be prepared, while the old database answers: a refusal costs no
 * downtime. Which data the database has is then written to its status: should the action vanish, the database finds out whether
 * it still has that. Taken back, what was prepared or brought is deleted.
 *
 * Where there is nothing to prepare, the server is told to stop beside the write that tells the choice. An operator that dies before
 * that write finds the hold, as after `holdDatabase`, and chooses again. What was run before the stop has to be recorded first: its
 * end could not be asked for any more.
 */
export function prepareContent(change: Wanted["change"]): ActionStep<ReplaceContext> {
  return {
    name,
    isBeside: true,
    intend: async (ctx, signal) => {
      const { store, work } = storeOf(ctx);
      const { text, snapshot } = await store.choose(work, { change, ref: ctx.action.spec.snapshotRef }, signal);
      requireAsPlanned(ctx, snapshot);
      ctx.run.status.snapshot = snapshot;
      return text;
    },
    ...begunBy((store) => store.prepare),
    beside: async (ctx, signal) => {
      const { store } = storeOf(ctx);
      if (store.prepare !== nothingToDo || (ctx.run.status.runs ?? []).length > 0 || !mayHoldBeside(ctx)) return;
      await tellPresent(ctx, holdPatch(ctx, "stopped"), signal);
    },
    end: async (ctx, effect, signal) => {
      const { store, work } = storeOf(ctx);
      const outcome = await store.prepare.end(work, effect, signal);
      if (outcome.kind === "done") await tellPresent(ctx, {}, signal);
      return outcome;
    },
    undo: async (ctx, _, signal) => {
      const { store, work } = storeOf(ctx);
      const left = await store.clear(work, signal);
      if (left.kind === "underWay") return after(1, "RollingBack", "the data that the action brought is deleted");
      tellKept(ctx.run, left);
      return done();
    },
  };
}

/** Writes which data the database has, with more of its status. */
async function tellPresent(ctx: ActionContext, more: ReturnType<typeof holdPatch>, signal: AbortSignal): Promise<void> {
  const { content } = turnVdb(ctx).status;
  const present = storeOf(ctx).store.present(chosenIn(ctx));
  const told = content?.timeflow === present.timeflow ? {} : { content: present };
  await writeVdb(ctx, { ...told, ...more }, signal);
}

/** The change that prepareContent has chosen. */
export function chosenIn({ run }: ActionContext): string {
  const intent = run.status.steps?.find((entry) => entry.name === name)?.intent;
  if (intent === undefined) throw new TypeError("prepare-content has recorded nothing");
  return intent;
}
