import type { Log } from "kube-runtime";
import { isBookmarked } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { allDSources, readySnapshots } from "../catalogue/datasets.ts";
import { isHeld } from "../catalogue/holds.ts";
import { insertDSource } from "../catalogue/insert-dsource.ts";
import { allGroups } from "../catalogue/places.ts";
import { type DSourceConnection, type DSourceRow, decodeJobRow, isEmptySource } from "../catalogue/rows.ts";
import type { DSourceSettings } from "../config/settings.ts";
import { deleteSnapshot } from "../jobs/delete-snapshot.ts";
import { isRetained } from "../jobs/retire.ts";
import type { Runner } from "../jobs/runner.ts";
import { unfinishedJobs } from "../jobs/submit.ts";
import { snapshotDSource } from "../jobs/sync-dsource.ts";
import type { Pool } from "../pool/pool.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { nextTry } from "./next-try.ts";
import type { Secrets } from "./secrets.ts";

/** The tries since the last success, and with what they were made: what is mended is not to wait for the pause of the mistake. */
interface Tries {
  readonly count: number;
  readonly given: string;
}

export interface Linker {
  readonly catalogue: Catalogue;
  readonly pool: Pool;
  readonly runner: Runner;
  readonly secrets: Secrets;
  readonly log: Log;
  /** By dSource; kept from pass to pass. */
  readonly tries: Map<string, Tries>;
}

/**
 * Brings declared dSources to what the configuration says: records new ones, gives changed ones their new connection, takes the
 * first snapshot of those that have none (again and again, with growing pauses, until the source answers), and the later ones
 * at their interval. One pass; call it every few seconds.
 */
export async function keepLinked(linker: Linker, declared: readonly DSourceSettings[]): Promise<void> {
  const { catalogue, secrets } = linker;
  for (const settings of declared) {
    const given = await fingerprintOf(connectionOf(settings), secrets);
    const groupId = allGroups(catalogue).find((one) => one.name === settings.group)?.id;
    if (groupId === undefined) continue;
    keepOne(linker, settings, groupId, given);
    if (!isEmptySource(settings)) removeOld(linker, settings, settings.keep, groupId);
  }
}

function keepOne(
  { catalogue, pool, runner, log, tries }: Linker,
  settings: DSourceSettings,
  groupId: string,
  given: string,
): void {
  const source = ensureRecorded(catalogue, settings, groupId);
  if (source.state === "deleting" || isBusy(catalogue, source)) return;
  if (isEmptySource(source.connection) !== isEmptySource(settings)) {
    const is = isEmptySource(settings) ? "empty" : "linked to a server";
    const was = isEmptySource(settings) ? "linked to a server" : "empty";
    const problem = `the configuration says that it is ${is}, and it was made ${was}: give the new one another name`;
    catalogue.run("UPDATE dsource SET last_error = ? WHERE id = ?", problem, source.id);
    return;
  }
  const failed = source.last_error !== undefined;
  if (!failed) tries.delete(source.id);
  // After a restart what the last try was made with is not known; it is what there is now, most likely.
  else if (!tries.has(source.id)) tries.set(source.id, { count: 0, given });
  const { count, given: tried } = tries.get(source.id) ?? { count: 0, given };
  const mended = tried !== given;
  const dueMs = nextTry({
    linked: source.state === "linked",
    failed: failed && !mended,
    tries: count,
    newestMs: newestMs(catalogue, source),
    ...lastTry(catalogue, source),
    intervalSeconds: isEmptySource(settings) ? undefined : settings.intervalSeconds,
  });
  if (dueMs === undefined || dueMs > Date.now()) return;
  tries.set(source.id, { count: mended ? 1 : count + 1, given });
  const because = source.state === "linked" ? "interval" : "link";
  const job = snapshotDSource.request({ catalogue, pool }, { source, madeBy: because });
  log.info({ dSource: source.name, job: job.id, because }, "the engine takes a snapshot");
  runner.wake();
}

function ensureRecorded(catalogue: Catalogue, settings: DSourceSettings, groupId: string): DSourceRow {
  const find = (): DSourceRow | undefined => declaredSource(catalogue, settings, groupId);
  const connection = connectionOf(settings);
  const known = find();
  if (known === undefined) {
    insertDSource(catalogue, { name: settings.name, groupId, declared: true, connection, tags: [] });
  } else if (isEmptySource(known.connection) !== isEmptySource(connection)) {
    return known; // its copies would be refreshed to something that is no such database
  } else if (JSON.stringify(known.connection) !== JSON.stringify(connection) || !known.declared) {
    catalogue.run("UPDATE dsource SET connection = ?, declared = 1 WHERE id = ?", JSON.stringify(connection), known.id);
  }
  const recorded = find();
  if (recorded === undefined) throw new Error(`the catalogue does not contain dSource ${settings.name} after its insert`);
  return recorded;
}

function connectionOf(settings: DSourceSettings): DSourceConnection {
  if (isEmptySource(settings)) return { empty: true };
  const { host, port, user, sslmode, database, passwordSecret, sslRootCertSecret, sync } = settings;
  return {
    host,
    port,
    user,
    sslmode,
    ...(database === undefined ? {} : { database }),
    ...(passwordSecret === undefined ? {} : { passwordSecret }),
    ...(sslRootCertSecret === undefined ? {} : { sslRootCertSecret }),
    ...(sync === undefined ? {} : { sync }),
  };
}

const isBusy = (catalogue: Catalogue, { id }: DSourceRow): boolean =>
  unfinishedJobs(catalogue).some((job) => job.target_id === id);

function newestMs(catalogue: Catalogue, { id }: DSourceRow): number {
  const made = readySnapshots(catalogue).filter((one) => one.dataset_id === id);
  return Math.max(0, ...made.map((one) => Date.parse(one.created)));
}

function lastTry(
  catalogue: Catalogue,
  { id }: DSourceRow,
): { readonly lastTryMs: number; readonly copiedMs: number | undefined } {
  const job = catalogue.one(decodeJobRow, "SELECT * FROM job WHERE target_id = ? ORDER BY sequence DESC LIMIT 1", id);
  if (job === undefined) return { lastTryMs: 0, copiedMs: undefined };
  const lastTryMs = Date.parse(job.updated);
  return { lastTryMs, copiedMs: job.copying_since === undefined ? undefined : lastTryMs - Date.parse(job.copying_since) };
}

const declaredSource = (catalogue: Catalogue, { name }: DSourceSettings, groupId: string): DSourceRow | undefined =>
  allDSources(catalogue).find((one) => one.name === name && one.group_id === groupId);

/** Snapshots somebody asked for stay until somebody deletes them; of those made by interval the newest few. */
function removeOld({ catalogue, pool, runner }: Linker, settings: DSourceSettings, keep: number, groupId: string): void {
  const source = declaredSource(catalogue, settings, groupId);
  if (source === undefined || source.state === "deleting") return;
  const byInterval = readySnapshots(catalogue)
    .filter((one) => one.dataset_id === source.id && one.made_by === "interval" && !isRetained(one))
    .toSorted((a, b) => b.created.localeCompare(a.created));
  for (const old of byInterval.slice(keep)) {
    if (isHeld(catalogue, old.id) || isBookmarked(catalogue, old.id)) continue; // a later pass
    deleteSnapshot.request({ catalogue, pool }, old.id);
    runner.wake();
  }
}
