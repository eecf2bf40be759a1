import { vdbSnapshot } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { openOrStopped } from "./needs.ts";
import { makeBookmark } from "./steps/make-bookmark.ts";
import { snapshotReady, takeSnapshot } from "./steps/snapshot.ts";
import { vdbHooks } from "./steps/vdb-hooks.ts";

/** A snapshot of the volume, consistent as after a crash. */
export const vdbSnapshotAction = defineAction({
  kind: vdbSnapshot,
  needs: openOrStopped,
  phases: {
    PreSnapshot: [vdbHooks("pre-snapshot")],
    Snapshotting: [takeSnapshot],
    PostSnapshot: [vdbHooks("post-snapshot")],
    Finalizing: [snapshotReady, makeBookmark],
  },
});
