import process from "node:process";
import { createDctConnection, decodeCredentials } from "@vdb/dct";
import {
  createLog,
  createManager,
  errorMessage,
  httpApi,
  type LeaderElectionOptions,
  type Log,
  loadConnection,
  secrets,
  systemClock,
} from "kube-runtime";
import { actionCaches, actionTriggers, controlActions, isAtWork, namedByActions, scheduledActions } from "./action/controller.ts";
import { type OperatorConfig, readConfig } from "./config.ts";
import { createCsiSources } from "./data/csi/csi-source.ts";
import { csiWorldOf } from "./data/csi/csi-world.ts";
import { createDataSources } from "./data/data-sources.ts";
import { createDctSource } from "./data/dct/dct-source.ts";
import { explainDct } from "./data/dct/failure.ts";
import { mustAllowCopyOf } from "./data/dct/of-others.ts";
import { createStorageWatch } from "./data/dct/watch-storage.ts";
import { fencedDct } from "./fenced-dct.ts";
import { fencedExec } from "./fenced-exec.ts";
import { measuredDct } from "./metrics/dct-metrics.ts";
import { tellWork } from "./metrics/work-metrics.ts";
import { tellTraces } from "./tracing/tell-traces.ts";
import { isShut } from "./vdb/context.ts";
import { controlVdbs, vdbCaches } from "./vdb/controller.ts";
import { createMemories } from "./vdb/memory.ts";
import { operatorName } from "./vdb/names.ts";

/** How often the operator reads the storage of the engines, and the bytes of each database. */
const storageLook = { intervalSeconds: 20, bytesSeconds: 60 };

/**
 * A refresh is some dozens of requests, twenty databases that are applied at once are several hundred: none of them waits here. The
 * API server's own priority and fairness shields it from more than it can serve.
 */
const requestLimits = { requestsPerSecond: 200, burst: 400 };

/** Serves PostgresVDBs until the signal is aborted. */
async function serve(config: OperatorConfig, log: Log, signal: AbortSignal): Promise<void> {
  const connection = await loadConnection(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig });
  await using api = httpApi(connection, requestLimits);
  const manager = createManager({
    name: operatorName,
    api,
    log,
    http: { port: config.httpPort },
    ...(config.leaderElection ? { leaderElection: leaseOf(config) } : {}),
  });
  const key = { namespace: config.namespace, name: config.defaults.credentialsSecret };
  await using dct = createDctConnection({
    // By its name: the Secret is never listed or watched.
    read: async (stop) => decodeCredentials(await manager.client.find(secrets, key, stop), key),
    connect: measuredDct(manager.metrics, fencedDct(manager)),
  });
  const caches = vdbCaches(manager, config.watchNamespaces);
  const exec = fencedExec(connection, manager);
  const actions = actionCaches(manager, config.watchNamespaces);
  const dctSource = createDctSource({
    dct,
    defaults: config.defaults,
    isShut: isShut(caches.vdbs),
    mustAllowCopy: mustAllowCopyOf(caches.vdbs, config),
  });
  const sources = createDataSources(
    { "dct-source": dctSource, ...createCsiSources(csiWorldOf({ config, caches, exec, dct: dctSource, now: Date.now })) },
    explainDct,
  );
  const storage = createStorageWatch({ dct, vdbs: caches.vdbs, log, clock: systemClock, ...storageLook });
  controlVdbs(manager, {
    config,
    caches,
    sources,
    storage,
    exec,
    memories: createMemories(),
    isAtWork: (holder) => isAtWork(actions, holder),
    namedByActions: () => namedByActions(actions),
    scheduled: (vdb, schedule) => scheduledActions(actions, vdb, schedule),
    actionTriggers: actionTriggers(actions),
  });
  controlActions(manager, { config, caches, actions, exec, now: Date.now, sources });
  tellWork(manager, { vdbs: caches.vdbs, actions, storage, now: Date.now });
  tellTraces(manager, { endpoint: config.otlpEndpoint, instance: config.identity, log, vdbs: caches.vdbs, actions });
  await manager.run(signal);
}

const leaseOf = ({ namespace, identity }: OperatorConfig): LeaderElectionOptions => ({
  namespace,
  name: operatorName,
  ...(identity === undefined ? {} : { identity }),
});

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  const log = createLog({ level: config.logLevel });
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  try {
    await serve(config, log, stop.signal);
    log.info({}, "stopped");
  } catch (error) {
    log.error({ error: errorMessage(error) }, "the operator ends because of an error");
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  console.error(errorMessage(error)); // a flag that cannot be read: there is no log yet
  process.exitCode = 2;
}
