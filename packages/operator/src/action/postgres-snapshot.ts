import { postgresSnapshot } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { openOrStopped } from "./needs.ts";
import { afterBackup, beginBackup, endBackup } from "./steps/backup-session.ts";
import { makeBookmark } from "./steps/make-bookmark.ts";
import { snapshotReady, takeSnapshot } from "./steps/snapshot.ts";
import { vdbHooks } from "./steps/vdb-hooks.ts";

/** A snapshot inside one backup session of PostgreSQL; the database's own hooks run outside of it. */
export const postgresSnapshotAction = defineAction({
  kind: postgresSnapshot,
  needs: openOrStopped,
  phases: {
    PreSnapshot: [vdbHooks("pre-snapshot"), beginBackup],
    Snapshotting: [takeSnapshot],
    PostSnapshot: [endBackup, afterBackup, vdbHooks("post-snapshot")],
    Finalizing: [snapshotReady, makeBookmark],
  },
  conditions: ["Translated"],
});
