import type { PostgresRefresh, PostgresRewind, VDBRefresh, VDBRewind } from "@vdb/api";
import { after, done } from "kube-runtime";
import { tellKept, type Wanted } from "../../data/content-store.ts";
import type { ActionContext } from "../context.ts";
import { requireAsPlanned } from "../foresee.ts";
import { begunBy, storeOf, turnVdb, writeVdb } from "../hold.ts";
import type { ActionStep } from "../step.ts";

export type ReplaceContext = ActionContext<VDBRefresh | PostgresRefresh | VDBRewind | PostgresRewind>;

const name = "prepare-content";

/**
 * Finds the data that the database gets, and prepares what can be prepared, while the old database answers: a refusal costs no
 * downtime. Which data the database has is then written to its status: should the action vanish, the database finds out whether
 * it still has that. Taken back, what was prepared or brought is deleted.
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
    end: async (ctx, effect, signal) => {
      const { store, work } = storeOf(ctx);
      const outcome = await store.prepare.end(work, effect, signal);
      if (outcome.kind !== "done") return outcome;
      const present = store.present(chosenIn(ctx));
      if (turnVdb(ctx).status.content?.timeflow !== present.timeflow) await writeVdb(ctx, { content: present }, signal);
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

/** The change that prepareContent has chosen. */
export function chosenIn({ run }: ActionContext): string {
  const intent = run.status.steps?.find((entry) => entry.name === name)?.intent;
  if (intent === undefined) throw new TypeError("prepare-content has recorded nothing");
  return intent;
}
