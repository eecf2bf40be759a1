import type { Logger } from "pino";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { allDSources, readySnapshots } from "../catalogue/datasets.ts";
import { allGroups } from "../catalogue/places.ts";
import { insertDSource, requestSnapshotDeletion, requestSourceSnapshot } from "../catalogue/requests.ts";
import type { Connection, DSourceRow } from "../catalogue/rows.ts";
import type { DSourceSettings } from "../config/settings.ts";
import type { Runner } from "../jobs/runner.ts";
import { unfinishedJobs } from "../jobs/submit.ts";
import { nextTry } from "./next-try.ts";

/**
 * Brings declared dSources to what the configuration says: records new ones, gives changed ones their new connection, takes the
 * first snapshot of those that have none (again and again, with growing pauses, until the source answers), and the later ones
 * at their interval. One pass; call it every few seconds.
 */
export function keepLinked(
  catalogue: Catalogue,
  runner: Runner,
  log: Logger,
  declared: readonly DSourceSettings[],
  tries: Map<string, number>,
): void {
  const groupId = (name: string): string | undefined => allGroups(catalogue).find((one) => one.name === name)?.id;
  for (const settings of declared) {
    const group = groupId(settings.group);
    if (group === undefined) continue;
    const source = ensureRecorded(catalogue, settings, group, tries);
    if (source.state === "deleting" || isBusy(catalogue, source)) continue;
    const due = dueFor(catalogue, source, settings, tries, Date.now());
    if (due === undefined) continue;
    tries.set(source.id, (tries.get(source.id) ?? 0) + 1);
    const job = requestSourceSnapshot(catalogue, source, due);
    log.info({ dSource: source.name, job: job.id, because: due }, "taking a snapshot");
    runner.wake();
  }
  for (const settings of declared) removeOld(catalogue, runner, settings);
}

function ensureRecorded(
  catalogue: Catalogue,
  settings: DSourceSettings,
  groupId: string,
  tries: Map<string, number>,
): DSourceRow {
  const connection = connectionOf(settings);
  const find = (): DSourceRow | undefined =>
    allDSources(catalogue).find((one) => one.name === settings.name && one.group_id === groupId);
  const known = find();
  if (known === undefined) insertDSource(catalogue, { name: settings.name, groupId, declared: true, connection, tags: [] });
  else if (JSON.stringify(known.connection) !== JSON.stringify(connection) || !known.declared) {
    catalogue.run("UPDATE dsource SET connection = ?, declared = 1 WHERE id = ?", JSON.stringify(connection), known.id);
    tries.delete(known.id); // a corrected mistake is not to wait for the pause that the mistake had earned
  }
  const recorded = find();
  if (recorded === undefined) throw new Error(`dSource ${settings.name} was not recorded`);
  return recorded;
}

const connectionOf = ({ host, port, user, sslmode, database, passwordSecret }: DSourceSettings): Connection => ({
  host,
  port,
  user,
  sslmode,
  ...(database === undefined ? {} : { database }),
  ...(passwordSecret === undefined ? {} : { passwordSecret }),
});

const isBusy = (catalogue: Catalogue, { id }: DSourceRow): boolean =>
  unfinishedJobs(catalogue).some((job) => job.target_id === id);

function dueFor(
  catalogue: Catalogue,
  source: DSourceRow,
  { intervalSeconds }: DSourceSettings,
  tries: Map<string, number>,
  nowMs: number,
): "link" | "interval" | undefined {
  const newestMs = Math.max(
    0,
    ...readySnapshots(catalogue)
      .filter((one) => one.dataset_id === source.id)
      .map((one) => Date.parse(one.created)),
  );
  const lastJob = catalogue.one(
    (row) => row,
    "SELECT updated FROM job WHERE target_id = ? ORDER BY sequence DESC LIMIT 1",
    source.id,
  );
  const lastTryMs =
    typeof lastJob === "object" && lastJob !== null && "updated" in lastJob ? Date.parse(String(lastJob.updated)) : 0;
  const failed = source.last_error !== undefined;
  if (!failed) tries.delete(source.id);
  const dueMs = nextTry({
    linked: source.state === "linked",
    failed,
    tries: tries.get(source.id) ?? 0,
    newestMs,
    lastTryMs,
    intervalSeconds,
  });
  if (dueMs === undefined || dueMs > nowMs) return undefined;
  return source.state === "linked" ? "interval" : "link";
}

/** Snapshots somebody asked for stay until somebody deletes them; of those made by interval the newest few. */
function removeOld(catalogue: Catalogue, runner: Runner, settings: DSourceSettings): void {
  const source = allDSources(catalogue).find((one) => one.name === settings.name);
  if (source === undefined) return;
  const byInterval = readySnapshots(catalogue)
    .filter((one) => one.dataset_id === source.id && one.made_by === "interval")
    .toSorted((a, b) => b.created.localeCompare(a.created));
  for (const old of byInterval.slice(settings.keep)) {
    if (unfinishedJobs(catalogue).some(({ type }) => type === "DB_PROVISION")) return; // it may be the origin; next pass
    requestSnapshotDeletion(catalogue, old);
    runner.wake();
  }
}
