import { object, string } from "@vdb/dct";
import { insertTimeflow } from "../catalogue/timeflows.ts";
import { changeableVdb, cutBack, cutOver } from "./change-content.ts";
import { type Change, choosePoint, type Point } from "./choose-point.ts";
import { type DefinedJob, defineJob } from "./define-job.ts";
import { dropTimeflow, fillTimeflow } from "./fill-timeflow.ts";
import { requireVdb } from "./require-vdb.ts";
import { reserveSnapshot } from "./reserve-snapshot.ts";
import { dropUnfinished, takeSnapshot } from "./take-snapshot.ts";

const parameters = object({ timeflowId: string, snapshotId: string, originId: string }, {});

interface Wanted {
  readonly vdbId: string;
  readonly point: Point;
}

/**
 * DB_REFRESH, DB_ROLLBACK: a new timeflow from a snapshot of the parent, or of the VDB itself, takes the current one's place. That one
 * stays with its data, as what undo_refresh goes back to. The new one has a first snapshot at once, as a new VDB has.
 * Intents: the rows of timeflow and snapshot. Effects: their subvolumes, then the swap, which is the last one: until then the VDB has
 * its old data, from then on the new.
 */
const replaceContent = (type: "DB_REFRESH" | "DB_ROLLBACK", change: Change): DefinedJob<Wanted> =>
  defineJob({
    type,
    parameters,
    holds: ({ originId, timeflowId }) => [originId, timeflowId],
    reserve: (parts, { vdbId, point }: Wanted) => {
      const { catalogue } = parts;
      const vdb = changeableVdb(parts, vdbId);
      const from = choosePoint(catalogue, vdb, change, point);
      const kind = change === "refresh" ? "REFRESH" : "ROLLBACK";
      const timeflowId = insertTimeflow(catalogue, { datasetId: vdb.id, type: kind, state: "creating", from });
      const dataset = { ...vdb, timeflow_id: timeflowId };
      const snapshotId = reserveSnapshot(catalogue, { dataset, kind: "VDB", version: from.version, madeBy: "refresh" });
      return { targetId: vdb.id, targetName: vdb.name, parameters: { timeflowId, snapshotId, originId: from.id } };
    },
    run: async (context, { timeflowId, snapshotId }) => {
      const { catalogue, failpoint } = context;
      const vdb = requireVdb(context);
      await fillTimeflow(context, vdb, timeflowId);
      const recordFirst = await takeSnapshot(context, { snapshotId, timeflowId, vdbName: vdb.name });
      await failpoint(`${type}:snapshotted`);
      const recordSwap = await cutOver(context, vdb, timeflowId);
      return () => {
        recordFirst();
        recordSwap();
        catalogue.run("UPDATE timeflow SET state = 'ready' WHERE id = ?", timeflowId);
        catalogue.run("UPDATE vdb SET last_refreshed = ? WHERE id = ?", new Date().toISOString(), vdb.id);
      };
    },
    undo: async (context, { timeflowId, snapshotId }) => {
      await cutBack(context, requireVdb(context));
      const drops = [await dropUnfinished(context, snapshotId), await dropTimeflow(context, timeflowId)];
      return () => {
        for (const drop of drops) drop();
      };
    },
  });

export const refreshVdb = replaceContent("DB_REFRESH", "refresh");
export const rollbackVdb = replaceContent("DB_ROLLBACK", "rollback");
