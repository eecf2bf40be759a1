import type { VdbContext } from "../context.ts";

/** Most of what goes is gone before this; only of what is not the causes are looked for. */
export const patienceSeconds = 2;

/** Whether the deletion of the database takes longer than most. */
export const isLate = ({ run, vdb }: Pick<VdbContext, "run" | "vdb">): boolean =>
  run.clock.now() - Date.parse(vdb.metadata.deletionTimestamp ?? "") > patienceSeconds * 1000;
