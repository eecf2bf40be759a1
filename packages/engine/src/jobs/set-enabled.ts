import type { JobKind } from "./job-kind.ts";
import { requireVdb } from "./require-vdb.ts";

/** DB_ENABLE, DB_DISABLE: state alone. What runs on the data belongs to Kubernetes, the engine starts and stops nothing. */
const setEnabled = (enabled: 0 | 1): JobKind => ({
  run: async (context) => {
    const { catalogue, job } = context;
    requireVdb(context);
    return () => catalogue.run("UPDATE vdb SET enabled = ? WHERE id = ?", enabled, job.target_id);
  },
  undo: async () => () => undefined,
});

export const enableVdb = setEnabled(1);
export const disableVdb = setEnabled(0);
