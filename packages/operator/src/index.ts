/** The operator: what it is started with, and how a PostgresVDB comes up. `main.ts` is the program. */

export { type OperatorConfig, readConfig, type VdbDefaults } from "./config.ts";
export { cleanUpSteps } from "./vdb/steps/clean-up.ts";
export { controlVdbs, finalizer, vdbCaches, vdbKind } from "./vdb/controller.ts";
export { vdbSteps } from "./vdb/steps.ts";
export { stopPlan } from "./vdb/steps/stop.ts";
export type { Caches, PodExec, World } from "./vdb/world.ts";
