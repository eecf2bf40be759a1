import { type ActionObject, durationMilliseconds, type VdbContent } from "@vdb/api";
import type { ActionContext } from "./context.ts";
import { asPrevious } from "./hold.ts";

/** The name of the step that puts the replaced data aside. */
export const keepsPrevious = "keep-previous";

export const keptMs = ({ spec }: ActionObject): number =>
  "previousRetention" in spec ? durationMilliseconds(spec.previousRetention) : 0;

/**
 * What the database's status says of the replaced data from the end of the turn on. Without an end where the action has not put it
 * aside: an undo was refused, and both data stay.
 */
export function previousAfter(ctx: ActionContext, replaced: VdbContent): ReturnType<typeof asPrevious> | null {
  const { steps = [] } = ctx.run.status;
  const isPutAside = steps.some(({ name, completionTime }) => name === keepsPrevious && completionTime !== undefined);
  if (!isPutAside) return asPrevious(replaced, null);
  const ms = keptMs(ctx.action);
  return ms > 0 ? asPrevious(replaced, new Date(ctx.run.clock.now() + ms).toISOString()) : null;
}
