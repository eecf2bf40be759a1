import { chmod, mkdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleepMs } from "node:timers/promises";
import type { Logger } from "pino";
import { openCatalogue } from "./catalogue/catalogue.ts";
import { reconcilePlaces } from "./catalogue/places.ts";
import type { Flags } from "./config/flags.ts";
import { decodeSettings, type Settings } from "./config/settings.ts";
import { allRoutes } from "./http/routes.ts";
import { startServer } from "./http/server.ts";
import { keepApiKey } from "./identity/api-key.ts";
import { keepCertificate } from "./identity/certificate.ts";
import { publishCredentials } from "./identity/publish.ts";
import type { Parts } from "./jobs/job-kind.ts";
import { jobKinds } from "./jobs/kinds.ts";
import { startRunner } from "./jobs/runner.ts";
import { forgetOldJobs } from "./jobs/submit.ts";
import { keepLinked } from "./link/keep-linked.ts";
import { installedPostgres } from "./link/postgres.ts";
import { mountedSecrets } from "./link/secrets.ts";
import { btrfsPool } from "./pool/btrfs.ts";
import { isMounted, mountPool } from "./pool/mount.ts";
import { countedSizes } from "./sizes.ts";

export interface Engine extends AsyncDisposable {
  readonly port: number;
}

const version = "0.1.0";
/** The configuration is looked at so often: a ConfigMap's change takes the kubelet up to a minute to bring anyway. */
const configPauseMs = 2_000;

/** Starts everything in the order of dependence; disposing stops it in the opposite one and leaves unfinished jobs recorded. */
export async function startEngine(flags: Flags, log: Logger): Promise<Engine> {
  const { dataDir } = flags;
  await using started = new AsyncDisposableStack();
  // Readable for none but root, passable for the owner of the data inside the pool.
  await mkdir(dataDir, { recursive: true });
  await chmod(dataDir, 0o711);
  let settings = await readSettings(flags);
  const place = { imageFile: join(dataDir, "pool.img"), mountPoint: join(dataDir, "pool") };
  const catalogue = started.use(openCatalogue(join(dataDir, "catalogue.db")));
  await mountPool(place, settings.poolSizeBytes);
  const pool = btrfsPool(place.mountPoint, place.imageFile);
  reconcilePlaces(catalogue, settings);

  const reserve = { settings: () => settings, pool: place.mountPoint };
  const parts: Parts = {
    catalogue,
    pool,
    postgres: installedPostgres(flags.postgresDir),
    secrets: mountedSecrets(flags.secretsDir),
    reserveBytes: () => reserveBytes(reserve.settings(), reserve.pool),
    log,
    seam: holdAt(flags.holdAt, log),
  };
  const runner = started.use(startRunner(parts, jobKinds));
  const names = certificateNames(flags.publicUrl);
  const [apiKey, certificate] = await Promise.all([keepApiKey(dataDir), keepCertificate(dataDir, names)]);
  const state = {
    catalogue,
    pool,
    sizes: countedSizes(pool, log),
    runner,
    engineName: () => settings.name,
    nodeName: flags.nodeName,
    publicHost: new URL(flags.publicUrl).hostname,
    version,
  };
  const notReadyBecause = async (): Promise<string | undefined> =>
    (await isMounted(place.mountPoint)) ? undefined : `the pool is not mounted at ${place.mountPoint}`;
  const server = started.use(
    await startServer({
      ...certificate,
      host: flags.listenHost,
      port: flags.listenPort,
      apiKey,
      routes: allRoutes(state),
      notReadyBecause,
      log,
    }),
  );
  log.info({ port: server.port, pool: place.mountPoint, engine: settings.name, node: flags.nodeName }, "the engine answers");

  const stopping = new AbortController();
  const tries = new Map<string, number>();
  const follow = followSettings(flags, settings, log, stopping.signal, async (now, changed) => {
    if (changed) {
      settings = now;
      reconcilePlaces(catalogue, now);
      await mountPool(place, now.poolSizeBytes);
      log.info("the configuration was read again");
    }
    keepLinked(catalogue, runner, log, now.dsources, tries);
    forgetOldJobs(catalogue);
  });
  const publish = publishCredentials({
    api: flags.apiServer,
    namespaces: flags.publishNamespaces,
    credentials: { url: flags.publicUrl, apiKey, caPem: certificate.cert },
    log,
    signal: stopping.signal,
  });
  started.defer(async () => {
    stopping.abort();
    await Promise.all([follow, publish]);
  });
  const all = started.move();
  return { port: server.port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function readSettings({ configFile }: Flags): Promise<Settings> {
  return decodeSettings(configFile === undefined ? "" : await readFile(configFile, "utf8"));
}

/** Calls `apply` every few seconds. A configuration that cannot be read keeps the last good one in force, and is said once. */
async function followSettings(
  flags: Flags,
  first: Settings,
  log: Logger,
  signal: AbortSignal,
  apply: (settings: Settings, changed: boolean) => Promise<void>,
): Promise<void> {
  let [current, said] = [first, ""];
  while (!signal.aborted) {
    try {
      const read = await readSettings(flags);
      const changed = JSON.stringify(read) !== JSON.stringify(current);
      current = read;
      await apply(current, changed);
      said = "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== said) log.error({ failure: message }, "the configuration could not be put in force");
      said = message;
    }
    await sleepMs(configPauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Every name under which the API may be called inside the cluster or through a port-forward. */
function certificateNames(publicUrl: string): readonly string[] {
  const base = "delphix-engine.delphix-storage";
  return [
    ...new Set([
      new URL(publicUrl).hostname,
      "delphix-engine",
      base,
      `${base}.svc`,
      `${base}.svc.cluster.local`,
      "localhost",
      "127.0.0.1",
    ]),
  ];
}

/** Kept free whatever is asked for, so that what runs already can go on writing, and deleting always works. */
async function reserveBytes(settings: Settings, poolFolder: string): Promise<number> {
  if (settings.reserveBytes !== undefined) return settings.reserveBytes;
  const { blocks, bsize } = await statfs(poolFolder);
  return Math.max(256 * 2 ** 20, Math.floor(blocks * bsize * 0.02));
}

function holdAt(wanted: string | undefined, log: Logger): (name: string) => Promise<void> {
  return async (name) => {
    if (name !== wanted) return;
    log.warn({ seam: name }, "held");
    await new Promise<never>(() => undefined);
  };
}
