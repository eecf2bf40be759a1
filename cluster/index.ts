/** What the demo, the e2e tests and the benchmarks do with a cluster. */
export { credentialsOf, layerContent, leaksIn } from "./images/leaks.ts";
export { inNode, restartKubelet, testCluster } from "./stack/cluster.ts";
export { type CommandResult, run, tryRun } from "./stack/command.ts";
export {
  cloneBytes,
  linkDatabase,
  takeSourceSnapshot,
  unlinkDatabase,
  waitForSourceSnapshot,
  withEngine,
  withEngineAccess,
} from "./stack/engine.ts";
export { foreignDriver, foreignVolumes, installForeignDriver, uninstallForeignDriver } from "./stack/foreign-driver.ts";
export { builtImages, emptySource, installCharts, operatorNamespace, storageNamespace } from "./stack/install.ts";
export { at, entries, items, type Json, parseJson, text } from "./stack/json.ts";
export { eventually, type Kubectl, kubectlFor } from "./stack/kubectl.ts";
export { type PortForward, portForward } from "./stack/port-forward.ts";
export { postgresImage, postgresVersion } from "./stack/postgres-image.ts";
export {
  ensureNamespace,
  loadProduction,
  newSecret,
  type Production,
  productionSql,
  secretMark,
  secretYaml,
  startDatabase,
  startProduction,
} from "./stack/production.ts";
export { type Endpoint, psqlOnceReached, psqlThroughService, tryPsql } from "./stack/psql.ts";
export { type VdbOptions, vdbManifest } from "./stack/vdb-manifest.ts";
