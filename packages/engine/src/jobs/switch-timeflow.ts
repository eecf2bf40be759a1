import { object, string } from "@vdb/dct";
import { readyTimeflow, timeflowsOf } from "../catalogue/datasets.ts";
import type { VdbRow } from "../catalogue/rows.ts";
import { conflict } from "../refusal.ts";
import { changeableVdb, cutBack, cutOver } from "./change-content.ts";
import { type DefinedJob, defineJob, type Reserving } from "./define-job.ts";
import type { Result } from "./job-kind.ts";
import { requireVdb } from "./require-vdb.ts";

const parameters = object({ timeflowId: string }, {});

interface Definition<W> {
  readonly type: "DB_SWITCH_TIMEFLOW" | "DB_UNDO_REFRESH";
  readonly vdbIdOf: (wanted: W) => string;
  /** Where to go; throws when that is not possible. */
  readonly choose: (parts: Reserving, vdb: VdbRow, wanted: W) => string;
  /** What `previous` becomes beside the switch. */
  readonly afterwards: (recordSwap: Result, clearPrevious: Result) => void;
}

/** A timeflow that is there takes the current one's place; that one stays with its data. The swap is the only effect. */
const goTo = <W>({ type, vdbIdOf, choose, afterwards }: Definition<W>): DefinedJob<W> =>
  defineJob({
    type,
    parameters,
    holds: ({ timeflowId }) => [timeflowId],
    reserve: (parts, wanted: W) => {
      const vdb = changeableVdb(parts, vdbIdOf(wanted));
      return { targetId: vdb.id, targetName: vdb.name, parameters: { timeflowId: choose(parts, vdb, wanted) } };
    },
    run: async (context, { timeflowId }) => {
      const vdb = requireVdb(context);
      const recordSwap = await cutOver(context, vdb, timeflowId);
      const clearPrevious = (): void => context.catalogue.run("UPDATE vdb SET previous_timeflow_id = NULL WHERE id = ?", vdb.id);
      return () => afterwards(recordSwap, clearPrevious);
    },
    undo: async (context) => {
      await cutBack(context, requireVdb(context));
      return () => undefined;
    },
  });

/** DB_SWITCH_TIMEFLOW: to any timeflow of the VDB. undo_refresh goes back from it. */
export const switchTimeflow = goTo({
  type: "DB_SWITCH_TIMEFLOW",
  vdbIdOf: ({ vdbId }: { readonly vdbId: string; readonly timeflowId: string }) => vdbId,
  choose: ({ catalogue }, vdb, { timeflowId }) => {
    if (timeflowId === vdb.timeflow_id) throw conflict(`timeflow ${timeflowId} is the current one of VDB ${vdb.name} already`);
    if (readyTimeflow(catalogue, timeflowId)?.dataset_id === vdb.id) return timeflowId;
    const others = timeflowsOf(catalogue, vdb.id).filter(({ id, state }) => state === "ready" && id !== vdb.timeflow_id);
    const choices = others.length === 0 ? "it has no other" : `its others: ${others.map(({ id }) => id).join(", ")}`;
    throw conflict(`VDB ${vdb.name} has no timeflow ${timeflowId}; ${choices}`);
  },
  afterwards: (recordSwap) => recordSwap(),
});

/**
 * DB_UNDO_REFRESH: back to the timeflow before the last refresh, rollback or switch. Once: a second request is refused, so that a repeated
 * one does not undo the undoing. What was undone stays as a timeflow until it is deleted.
 */
export const undoRefresh = goTo({
  type: "DB_UNDO_REFRESH",
  vdbIdOf: (vdbId: string) => vdbId,
  choose: ({ catalogue }, vdb) => {
    const previous = vdb.previous_timeflow_id;
    if (previous === undefined || readyTimeflow(catalogue, previous) === undefined)
      throw conflict(
        `VDB ${vdb.name} has nothing to undo: it was not refreshed, rolled back or switched since it was made or undone, or its previous timeflow was deleted`,
      );
    return previous;
  },
  afterwards: (recordSwap, clearPrevious) => {
    recordSwap();
    clearPrevious();
  },
});
