import { postgresRewind } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { hasData } from "./needs.ts";
import { cutOver } from "./steps/cut-over.ts";
import { awaitDatabase, awaitHooks, holdDatabase } from "./steps/hold-database.ts";
import { keepPrevious, openDatabase } from "./steps/keep-previous.ts";
import { ownScript } from "./steps/own-script.ts";
import { prepareContent } from "./steps/prepare-content.ts";
import { vdbHooks } from "./steps/vdb-hooks.ts";

/** The same with the action's own scripts: after the database's hooks before the stop, before them after it. */
export const postgresRewindAction = defineAction({
  kind: postgresRewind,
  needs: hasData,
  changesData: true,
  phases: {
    PreRewind: [vdbHooks("pre-rewind"), ownScript("preRewind"), prepareContent("rewind")],
    Stopping: [holdDatabase],
    Rewinding: [cutOver("rewind")],
    Starting: [awaitDatabase],
    PostRewind: [ownScript("postRewind"), awaitHooks],
    Finalizing: [openDatabase, keepPrevious],
  },
  conditions: ["ModeEnforced"],
});
