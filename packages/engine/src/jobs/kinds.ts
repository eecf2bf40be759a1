import type { JobType } from "../catalogue/rows.ts";
import { deleteDSource } from "./delete-dsource.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";
import { deleteVdb } from "./delete-vdb.ts";
import type { JobKind } from "./job-kind.ts";
import { provision } from "./provision.ts";
import { disableVdb, enableVdb } from "./set-enabled.ts";
import { snapshotVdb } from "./snapshot-vdb.ts";
import { syncDSource } from "./sync-dsource.ts";

/** Everything the engine can be asked to do. */
export const jobKinds: Readonly<Record<JobType, JobKind>> = {
  DB_LINK: syncDSource,
  DB_SYNC: syncDSource,
  DSOURCE_DELETE: deleteDSource,
  DB_PROVISION: provision,
  DB_ENABLE: enableVdb,
  DB_DISABLE: disableVdb,
  DB_SNAPSHOT: snapshotVdb,
  SNAPSHOT_DELETE: deleteSnapshot,
  DB_DELETE: deleteVdb,
};
