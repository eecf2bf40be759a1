/** What the tests of other packages take of these: an operator at work on a real API server. */

export { applyVdb, forever, healthy, isReady, newNamespace, untilVdb, vdbs } from "./operator.ts";
export { type Stage, setStage } from "./stage.ts";
export { until } from "./until.ts";
