import { task } from "@vdb/api";
import { defineAction } from "./machine.ts";
import { openAndAnswering } from "./needs.ts";
import { judgeAttempts, runAttempts } from "./steps/run-attempts.ts";

/** A command or SQL in a running virtual database of any kind. */
export const taskAction = defineAction({
  kind: task,
  needs: openAndAnswering,
  phases: {
    Running: [runAttempts],
    Finalizing: [judgeAttempts],
  },
});
