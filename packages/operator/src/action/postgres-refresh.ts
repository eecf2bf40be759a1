import { postgresRefresh } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { hasData } from "./needs.ts";
import { cutOver } from "./steps/cut-over.ts";
import { awaitDatabase, awaitHooks, holdDatabase } from "./steps/hold-database.ts";
import { keepPrevious, openDatabase } from "./steps/keep-previous.ts";
import { ownScript } from "./steps/own-script.ts";
import { prepareContent } from "./steps/prepare-content.ts";
import { vdbHooks } from "./steps/vdb-hooks.ts";

/** The same with the action's own scripts: after the database's hooks before the stop, before them after it. */
export const postgresRefreshAction = defineAction({
  kind: postgresRefresh,
  needs: hasData,
  changesData: true,
  phases: {
    PreRefresh: [vdbHooks("pre-refresh"), ownScript("preRefresh"), prepareContent("refresh")],
    Stopping: [holdDatabase],
    Refreshing: [cutOver("refresh")],
    Starting: [awaitDatabase],
    PostRefresh: [ownScript("postRefresh"), awaitHooks],
    Finalizing: [openDatabase, keepPrevious],
  },
  conditions: ["ModeEnforced"],
});
