import { object } from "@vdb/dct";
import { type DefinedJob, defineJob } from "./define-job.ts";
import { livingVdb, requireVdb } from "./require-vdb.ts";

/** DB_ENABLE, DB_DISABLE: state alone. What runs on the data belongs to Kubernetes, the engine starts and stops nothing. */
const setEnabled = (type: "DB_ENABLE" | "DB_DISABLE"): DefinedJob<string> =>
  defineJob({
    type,
    parameters: object({}, {}),
    holds: () => [],
    reserve: ({ catalogue }, vdbId: string) => {
      const vdb = livingVdb(catalogue, vdbId);
      return { targetId: vdb.id, targetName: vdb.name, parameters: {} };
    },
    run: async (context) => {
      const { catalogue, job } = context;
      requireVdb(context);
      return () => catalogue.run("UPDATE vdb SET enabled = ? WHERE id = ?", type === "DB_ENABLE" ? 1 : 0, job.target_id);
    },
    undo: async () => () => undefined,
  });

export const enableVdb = setEnabled("DB_ENABLE");
export const disableVdb = setEnabled("DB_DISABLE");
