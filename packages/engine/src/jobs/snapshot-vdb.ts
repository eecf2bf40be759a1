import { object, string } from "@vdb/dct";
import { defineJob } from "./define-job.ts";
import { livingVdb, requireVdb } from "./require-vdb.ts";
import { reserveSnapshot } from "./reserve-snapshot.ts";
import { dropUnfinished, takeSnapshot } from "./take-snapshot.ts";

const parameters = object({ snapshotId: string }, {});

/** DB_SNAPSHOT: a read-only clone of a VDB as it is at this instant. */
export const snapshotVdb = defineJob({
  type: "DB_SNAPSHOT",
  parameters,
  holds: () => [],
  reserve: ({ catalogue }, vdbId: string) => {
    const vdb = livingVdb(catalogue, vdbId);
    const snapshotId = reserveSnapshot(catalogue, {
      dataset: vdb,
      kind: "VDB",
      version: vdb.database_version,
      madeBy: "request",
    });
    return { targetId: vdb.id, targetName: vdb.name, parameters: { snapshotId } };
  },
  run: async (context, { snapshotId }) => {
    const vdb = requireVdb(context);
    const record = await takeSnapshot(context, { snapshotId, timeflowId: vdb.timeflow_id, vdbName: vdb.name });
    await context.failpoint("DB_SNAPSHOT:cloned");
    return record;
  },
  undo: async (context, { snapshotId }) => await dropUnfinished(context, snapshotId),
});
