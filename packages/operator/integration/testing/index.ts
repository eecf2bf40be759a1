/** What the tests of other packages and the measurements take of these: an operator at work on a real API server. */

export { type FakeCluster, playCluster, templateOf } from "./fake-cluster.ts";
export { type FakeDct, fakeDct } from "./fake-dct.ts";
export {
  applyVdb,
  type Bench,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  type RunningOperator,
  startBench,
  startOperator,
  untilVdb,
  vdbs,
} from "./operator.ts";
export { type Stage, setStage } from "./stage.ts";
export { until } from "./until.ts";
