import { postgresTask } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { openAndAnswering } from "./needs.ts";
import { judgeAttempts, runAttempts } from "./steps/run-attempts.ts";

/** SQL or a command in a running PostgreSQL database. */
export const postgresTaskAction = defineAction({
  kind: postgresTask,
  needs: openAndAnswering,
  phases: {
    Running: [runAttempts],
    Finalizing: [judgeAttempts],
  },
});
