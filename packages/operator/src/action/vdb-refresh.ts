import { vdbRefresh } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { hasData } from "./needs.ts";
import { cutOver } from "./steps/cut-over.ts";
import { awaitDatabase, awaitHooks, holdDatabase } from "./steps/hold-database.ts";
import { keepPrevious, openDatabase } from "./steps/keep-previous.ts";
import { prepareContent } from "./steps/prepare-content.ts";
import { vdbHooks } from "./steps/vdb-hooks.ts";

/** New data for a database. */
export const vdbRefreshAction = defineAction({
  kind: vdbRefresh,
  needs: hasData,
  changesData: true,
  phases: {
    PreRefresh: [vdbHooks("pre-refresh"), prepareContent("refresh")],
    Stopping: [holdDatabase],
    Refreshing: [cutOver("refresh")],
    Starting: [awaitDatabase],
    PostRefresh: [awaitHooks],
    Finalizing: [openDatabase, keepPrevious],
  },
  conditions: ["ModeEnforced"],
});
