import type { Hook, HookStage, VdbContent } from "@vdb/api";

/**
 * Pure: the stages whose hooks run on data that was not opened yet, in order; `content` undefined: the first data. A rewind may
 * bring a state that no hook has seen, as of a snapshot that was taken before the gate opened: unless it is known to come from
 * data that was open, what masks new data runs first.
 */
export function hookStagesFor(
  { madeBy, takenOpen }: Pick<VdbContent, "madeBy" | "takenOpen"> = { madeBy: "create" },
  hooks: readonly Pick<Hook, "stage">[],
): readonly HookStage[] {
  if (madeBy !== "rewind" || takenOpen === true) return [`post-${madeBy}`];
  const masksRefreshed = hooks.some(({ stage }) => stage === "post-refresh");
  return [masksRefreshed ? "post-refresh" : "post-create", "post-rewind"];
}
