import type { JobType } from "../catalogue/rows.ts";
import { createBookmark, deleteBookmark } from "./bookmarks.ts";
import { deleteDSource } from "./delete-dsource.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";
import { deleteTimeflow } from "./delete-timeflow.ts";
import { deleteVdb } from "./delete-vdb.ts";
import type { JobKind } from "./job-kind.ts";
import { provision } from "./provision.ts";
import { refreshVdb, rollbackVdb } from "./refresh-vdb.ts";
import { disableVdb, enableVdb } from "./set-enabled.ts";
import { snapshotVdb } from "./snapshot-vdb.ts";
import { startVdb, stopVdb } from "./start-stop.ts";
import { switchTimeflow, undoRefresh } from "./switch-timeflow.ts";
import { linkDSource, syncDSource } from "./sync-dsource.ts";
import { updateBookmark, updateSnapshot, updateVdb } from "./update.ts";

/** Everything the engine can be asked to do. */
export const jobKinds: Readonly<Record<JobType, JobKind>> = {
  DB_LINK: linkDSource,
  DB_SYNC: syncDSource,
  DSOURCE_DELETE: deleteDSource,
  DB_PROVISION: provision,
  DB_ENABLE: enableVdb,
  DB_DISABLE: disableVdb,
  DB_START: startVdb,
  DB_STOP: stopVdb,
  DB_UPDATE: updateVdb,
  DB_SNAPSHOT: snapshotVdb,
  SNAPSHOT_UPDATE: updateSnapshot,
  SNAPSHOT_DELETE: deleteSnapshot,
  DB_REFRESH: refreshVdb,
  DB_ROLLBACK: rollbackVdb,
  DB_UNDO_REFRESH: undoRefresh,
  DB_SWITCH_TIMEFLOW: switchTimeflow,
  TIMEFLOW_DELETE: deleteTimeflow,
  BOOKMARK_CREATE: createBookmark,
  BOOKMARK_UPDATE: updateBookmark,
  BOOKMARK_DELETE: deleteBookmark,
  DB_DELETE: deleteVdb,
};
