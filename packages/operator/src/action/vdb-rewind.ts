import { vdbRewind } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { hasData } from "./needs.ts";
import { cutOver } from "./steps/cut-over.ts";
import { awaitDatabase, awaitHooks, holdDatabase } from "./steps/hold-database.ts";
import { keepPrevious, openDatabase } from "./steps/keep-previous.ts";
import { prepareContent } from "./steps/prepare-content.ts";
import { vdbHooks } from "./steps/vdb-hooks.ts";

/** Back to an older state of the same database. */
export const vdbRewindAction = defineAction({
  kind: vdbRewind,
  needs: hasData,
  changesData: true,
  phases: {
    PreRewind: [vdbHooks("pre-rewind"), prepareContent("rewind")],
    Stopping: [holdDatabase],
    Rewinding: [cutOver("rewind")],
    Starting: [awaitDatabase],
    PostRewind: [awaitHooks],
    Finalizing: [openDatabase, keepPrevious],
  },
  conditions: ["ModeEnforced"],
});
