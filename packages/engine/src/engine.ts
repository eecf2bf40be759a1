import type { Log } from "kube-runtime";
import { startAdmin } from "./admin/socket.ts";
import { adminWorks } from "./admin/works.ts";
import { nameOfApiKey, replaceApiKey, useApiKey } from "./catalogue/api-keys.ts";
import { reconcilePlaces } from "./catalogue/places.ts";
import type { Flags } from "./config/flags.ts";
import { followSettings, readSettings } from "./config/follow-settings.ts";
import type { Settings } from "./config/settings.ts";
import { allRoutes } from "./http/routes.ts";
import { type RunningServer, startServer } from "./http/server.ts";
import { type Certificate, keepCertificate } from "./identity/certificate.ts";
import { takeOverFormerKey } from "./identity/former-key.ts";
import { publishCredentials } from "./identity/publish.ts";
import { stopAt } from "./jobs/failpoint.ts";
import { jobKinds } from "./jobs/kinds.ts";
import { retireExpired } from "./jobs/retire.ts";
import { type Runner, startRunner } from "./jobs/runner.ts";
import { forgetOldJobs } from "./jobs/submit.ts";
import { followedOf } from "./link/followed.ts";
import { keepLinked } from "./link/keep-linked.ts";
import { installedPostgres } from "./link/postgres.ts";
import { mountedSecrets } from "./link/secrets.ts";
import { type Standbys, startStandbys } from "./link/standbys.ts";
import { type EngineMetrics, engineMetrics } from "./metrics.ts";
import { countedSizes } from "./sizes.ts";
import { openStorage, type Storage } from "./storage.ts";

export interface Engine extends AsyncDisposable {
  readonly port: number;
}

const version = "0.1.0";

/** What the parts of a running engine share. Settings may be replaced while it runs. */
interface Running {
  readonly flags: Flags;
  readonly log: Log;
  readonly storage: Storage;
  readonly metrics: EngineMetrics;
  settings: Settings;
}

/** Starts everything in the order of dependence; an administrator may ask for `stop`; disposing stops it in the opposite one and leaves unfinished jobs recorded. */
export async function startEngine(flags: Flags, log: Log, stop: () => void): Promise<Engine> {
  await using started = new AsyncDisposableStack();
  const settings = await readSettings(flags);
  const storage = started.use(await openStorage(flags.dataDir, settings, log));
  reconcilePlaces(storage.catalogue, settings);
  const metrics = engineMetrics({
    catalogue: storage.catalogue,
    storageFigures: () => storage.figures(running.settings),
    now: () => new Date(),
    streamOf: (id) => standbys.stateOf(id),
  });
  const running: Running = { flags, log, storage, metrics, settings };
  const standbys = started.use(startFollowers(running));
  const runner = started.use(startJobs(running, standbys));
  await takeOverFormerKey(flags.dataDir, storage.catalogue);
  const certificate = await keepCertificate(flags.dataDir, certificateNames(flags.publicUrl));
  const server = started.use(await startApi(running, runner, standbys, certificate));
  started.use(await startAdmin(flags.dataDir, adminWorks(storage, flags.dataDir, stop), log));
  log.info(
    {
      port: server.port,
      pool: storage.pool.pathOf(""),
      fileSystem: storage.fileSystem,
      engine: settings.name,
      node: flags.nodeName,
    },
    "the engine has started",
  );
  started.use(startFollowing(running, runner, standbys, certificate));
  const all = started.move();
  return { port: server.port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function startFollowers(running: Running): Standbys {
  const { flags, log, storage, metrics } = running;
  return startStandbys({
    pool: storage.pool,
    postgres: installedPostgres(flags.postgresDir),
    secrets: mountedSecrets(flags.secretsDir),
    reserveBytes: () => storage.reserveBytes(running.settings),
    log,
    streamCame: metrics.streamCame,
  });
}

function startJobs(running: Running, standbys: Standbys): Runner {
  const { flags, log, storage, metrics } = running;
  const parts = {
    catalogue: storage.catalogue,
    pool: storage.pool,
    postgres: installedPostgres(flags.postgresDir),
    secrets: mountedSecrets(flags.secretsDir),
    standbys,
    reserveBytes: () => storage.reserveBytes(running.settings),
    log,
    baseBackupCame: metrics.baseBackupCame,
    failpoint: stopAt(flags.holdAt, log),
  };
  return startRunner(parts, jobKinds, metrics.jobEnded);
}

function startApi(running: Running, runner: Runner, standbys: Standbys, certificate: Certificate): Promise<RunningServer> {
  const { flags, log, storage, metrics } = running;
  const { catalogue, pool } = storage;
  const routes = allRoutes({
    catalogue,
    pool,
    runner,
    sizes: countedSizes(pool, log),
    streamOf: (id) => standbys.stateOf(id),
    storageFigures: () => storage.figures(running.settings),
    engineName: () => running.settings.name,
    nodeName: flags.nodeName,
    publicHost: new URL(flags.publicUrl).hostname,
    version,
  });
  const { listenHost: host, listenPort: port } = flags;
  const notReadyBecause = (): Promise<string | undefined> => storage.notReadyBecause();
  const callerOf = (key: string): string | undefined => useApiKey(catalogue, key);
  const { fileSystem: poolFileSystem } = storage;
  return startServer({
    ...certificate,
    host,
    port,
    callerOf,
    routes,
    poolFileSystem,
    notReadyBecause,
    metricsText: metrics.text,
    log,
  });
}

/** What goes on by itself: following the configuration, keeping dSources linked, publishing the credentials. */
function startFollowing(running: Running, runner: Runner, standbys: Standbys, certificate: Certificate): AsyncDisposable {
  const { flags, log, storage, settings } = running;
  const stopping = new AbortController();
  const { signal } = stopping;
  const linker = {
    catalogue: storage.catalogue,
    pool: storage.pool,
    runner,
    secrets: mountedSecrets(flags.secretsDir),
    log,
    tries: new Map(),
  };
  const change = async (changed: Settings): Promise<void> => {
    await storage.ensureMounted(changed);
    reconcilePlaces(storage.catalogue, changed);
    running.settings = changed;
    log.info({}, "the changed configuration is in force");
  };
  const pass = async ({ dsources }: Settings): Promise<void> => {
    if ((await storage.notReadyBecause()) !== undefined) await storage.ensureMounted(running.settings);
    await keepLinked(linker, dsources);
    await standbys.keep(followedOf(storage.catalogue, dsources));
    const retired = retireExpired({ catalogue: storage.catalogue, pool: storage.pool }, new Date());
    if (retired.length > 0) {
      log.info({ retired }, "the engine deletes what has expired");
      runner.wake();
    }
    forgetOldJobs(storage.catalogue);
  };
  const credentials = {
    url: flags.publicUrl,
    caPem: certificate.cert,
    isValid: (key: string) => nameOfApiKey(storage.catalogue, key) !== undefined,
    issue: (name: string) => replaceApiKey(storage.catalogue, name),
  };
  const done = Promise.all([
    followSettings(flags, { settings, change, pass }, log, signal),
    publishCredentials({ pod: flags.pod, namespaces: flags.publishNamespaces, credentials, log, signal }),
  ]);
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await done;
    },
  };
}

/** Every name under which the API may be called inside the cluster or through a port-forward. */
function certificateNames(publicUrl: string): readonly string[] {
  const base = "delphix-engine.delphix-storage";
  const names = [
    new URL(publicUrl).hostname,
    "delphix-engine",
    base,
    `${base}.svc`,
    `${base}.svc.cluster.local`,
    "localhost",
    "127.0.0.1",
  ];
  return [...new Set(names)];
}
