/**
 * DCT in memory, for tests of those who call it; `contract.ts` holds it to what the embedded engine does. Any of its calls can
 * be cut off, before or after its effect, which is how a network and a killed process look to the caller.
 */
import type { DctClient, SearchOptions } from "../client.ts";
import type { Snapshot, Vdb } from "../contract/datasets.ts";
import { DctError } from "../errors.ts";
import type { Filter } from "../filter.ts";
import { fakeContent } from "./fake-content.ts";
import type { FakeWorld, JobLength } from "./fake-world.ts";
import { matches } from "./matches.ts";

export interface Cut {
  /** Which call, counted from 1. */
  readonly at: number;
  readonly when: "before" | "after";
}

export interface FakeDctOptions {
  readonly cut?: Cut | undefined;
  /** Called before each call; a throw is what the caller gets instead of an answer. */
  readonly beforeCall?: (call: string, id: string) => void;
  /** The words with which every provisioning fails. */
  readonly failure?: string;
  /** The words with which every snapshot of a VDB fails. */
  readonly snapshotFailure?: string;
  /** The words with which every refresh and rollback fails. */
  readonly contentFailure?: string;
  /** The words with which a switch of timeflows fails now; undefined: it succeeds. */
  readonly switchFailure?: () => string | undefined;
  /** DCT refuses to delete a VDB or a snapshot with these words. */
  readonly keeps?: string;
  /** A real DCT shows a VDB only when its job is done; the embedded engine at once (the default). */
  readonly showsEarly?: boolean;
  /** "untilLooked" unless told. */
  readonly jobs?: JobLength;
}

const notPlayed = async (): Promise<never> => await Promise.reject(new DctError("refused", "the fake DCT does not play this"));

export function fakeDct(world: FakeWorld, options: FakeDctOptions = {}): DctClient {
  const {
    cut,
    failure,
    snapshotFailure,
    contentFailure,
    switchFailure,
    keeps,
    showsEarly = true,
    jobs = "untilLooked",
    beforeCall,
  } = options;
  let calls = 0;
  const call = async <T>(name: string, id: string, effect: () => T): Promise<T> => {
    calls += 1;
    beforeCall?.(name, id);
    const hit = cut?.at === calls;
    const lost = new DctError("unreachable", `call ${calls} was cut off`);
    if (hit && cut?.when === "before") throw lost;
    const answer = effect();
    if (hit) throw lost;
    return await Promise.resolve(answer);
  };
  const search =
    <T extends object>(name: string, all: (filter: Filter | undefined) => readonly T[]) =>
    (filter?: Filter, found?: SearchOptions): Promise<readonly T[]> =>
      call(name, "", () => selected(all(filter), filter, found));
  const get =
    <T extends { readonly id: string }>(name: string, all: () => readonly T[]) =>
    (id: string): Promise<T | undefined> =>
      call(name, id, () => all().find((one) => one.id === id));
  const vdbOf = (id: string): Vdb => {
    const vdb = world.vdb(id);
    if (vdb === undefined) throw new DctError("notFound", `there is no VDB ${id}`);
    return vdb;
  };
  const setEnabled = (enabled: boolean) => (id: string) =>
    call(enabled ? "enable" : "disable", id, () => {
      const { name: targetName } = vdbOf(id);
      const type = enabled ? "DB_ENABLE" : "DB_DISABLE";
      return {
        jobId: world.startJob({ type, targetId: id, targetName }, jobs, () => world.vdbs.set(id, { ...vdbOf(id), enabled })).id,
      };
    });
  const vdbs = (): readonly Vdb[] => [...world.vdbs.values()];

  return {
    searchEngines: search("searchEngines", () => [world.engine]),
    searchEnvironments: search("searchEnvironments", () => [world.environment]),
    searchGroups: search("searchGroups", () => [world.group]),
    searchDSources: search("searchDSources", () => world.dSources()),
    searchVdbs: search("searchVdbs", (filter) => {
      const [, id] = /^id EQ ['"](.*)['"]$/u.exec(filter ?? "") ?? [];
      if (id !== undefined) world.vdb(id); // one that is assumed is known from now on
      return vdbs();
    }),
    searchSnapshots: search("searchSnapshots", () => world.snapshots()),
    searchTimeflows: search("searchTimeflows", () => [...world.timeflows.values()]),
    searchBookmarks: search("searchBookmarks", () => world.bookmarks),
    searchJobs: search("searchJobs", () => world.jobs),

    getEngine: get("getEngine", () => [world.engine]),
    getEnvironment: get("getEnvironment", () => [world.environment]),
    getGroup: get("getGroup", () => [world.group]),
    getDSource: get("getDSource", () => world.dSources()),
    getVdb: (id) => call("getVdb", id, () => world.vdb(id)),
    getSnapshot: get("getSnapshot", () => world.snapshots()),
    getTimeflow: get("getTimeflow", () => [...world.timeflows.values()]),
    getBookmark: async (id) => await call("getBookmark", id, () => world.bookmarks.find((one) => one.id === id)),
    getJob: (id) =>
      call("getJob", id, () => {
        if (jobs === "untilLooked") world.endJob(id);
        return world.jobs.find((one) => one.id === id);
      }),

    provisionBySnapshot: ({ name: wanted, tags = [], snapshot_id, source_data_id }) =>
      call("provision", "", () => {
        world.origins.push({ source: source_data_id, snapshot: snapshot_id });
        const snapshot = snapshotFor(world, source_data_id, snapshot_id);
        const id = `1-APPDATA_CONTAINER-${world.nextNumber()}`;
        const name = wanted ?? `VDB_${id}`;
        if (vdbs().some((one) => one.name === name))
          throw new DctError("conflict", `a VDB ${name} exists in group ${world.group.name}`);
        const made = newVdb(world, id, { name, tags: [...tags], parent: snapshot.dataset_id, timestamp: snapshot.timestamp });
        const timeflow = world.newTimeflow(id, "INITIAL", snapshot);
        world.timeflows.set(timeflow.id, timeflow);
        const vdb = { ...made, current_timeflow_id: timeflow.id };
        if (showsEarly) world.vdbs.set(id, { ...vdb, enabled: false });
        const job = world.startJob({ type: "DB_PROVISION", targetId: id, targetName: name, failure }, jobs, () =>
          world.vdbs.set(id, vdb),
        );
        return { vdbId: id, jobId: job.id };
      }),
    deleteVdb: (id) =>
      call("delete", id, () => {
        const { name: targetName } = vdbOf(id);
        if (keeps !== undefined) throw new DctError("conflict", keeps);
        return { jobId: world.startJob({ type: "DB_DELETE", targetId: id, targetName }, jobs, () => world.forget(id)).id };
      }),
    enableVdb: setEnabled(true),
    disableVdb: setEnabled(false),
    snapshotVdb: (id) =>
      call("snapshot", id, () => {
        const { name: targetName } = vdbOf(id);
        const snapshot = world.reserveSnapshot(id);
        const effect = (): void => void (snapshotFailure === undefined && world.vdbSnapshots.set(snapshot.id, snapshot));
        return {
          jobId: world.startJob({ type: "DB_SNAPSHOT", targetId: id, targetName, failure: snapshotFailure }, jobs, effect).id,
        };
      }),
    tagVdb: (id, tags) =>
      call("tag", id, () => {
        const vdb = vdbOf(id);
        const present = vdb.tags ?? [];
        const added = tags.filter((tag) => !present.some(({ key, value }) => key === tag.key && value === tag.value));
        world.vdbs.set(id, { ...vdb, tags: [...present, ...added] });
      }),
    untagVdb: (id, key) =>
      call("untag", id, () => {
        const vdb = vdbOf(id);
        world.vdbs.set(id, { ...vdb, tags: (vdb.tags ?? []).filter((tag) => tag.key !== key) });
      }),
    abandonJob: (id) => call("abandonJob", id, () => world.abandonJob(id)),
    deleteSnapshot: (id) =>
      call("deleteSnapshot", id, () => {
        if (!world.vdbSnapshots.has(id)) throw new DctError("notFound", `there is no snapshot ${id}`);
        if (keeps !== undefined) throw new DctError("conflict", keeps);
        const holder = world.bookmarks.find((one) => (one.vdbs ?? []).some((entry) => entry.snapshot_id === id));
        if (holder !== undefined) throw new DctError("conflict", `snapshot ${id}: the bookmark ${holder.name} names it`);
        return { jobId: world.startJob({ type: "SNAPSHOT_DELETE", targetId: id }, jobs, () => world.vdbSnapshots.delete(id)).id };
      }),
    ...fakeContent({ world, jobs, failure: contentFailure, switchFailure, call }),
    linkAppData: notPlayed,
    snapshotDSource: notPlayed,
    deleteDSource: notPlayed,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The one that is named, else the newest of the dataset; of a VDB that has none, its data as of now. */
function snapshotFor(world: FakeWorld, dataset: string | undefined, id: string | undefined): Omit<Snapshot, "id"> {
  const newestFirst = selected(world.snapshots(), undefined, { sort: "-timestamp" });
  const found = newestFirst.find((one) => (id === undefined ? one.dataset_id === dataset : one.id === id));
  if (found !== undefined) return found;
  if (id === undefined && dataset !== undefined && world.vdb(dataset) !== undefined)
    return { dataset_id: dataset, timestamp: world.timestamps.at(-1) ?? "2026-01-01T00:00:00Z" };
  throw new DctError("notFound", `there is no snapshot ${id ?? `of ${dataset}`}`);
}

function newVdb(
  { environment, group, engine }: FakeWorld,
  id: string,
  {
    name,
    tags,
    parent,
    timestamp,
  }: { name: string; tags: { key: string; value: string }[]; parent: string | undefined; timestamp: string | undefined },
): Vdb {
  const exported = { exported_data_directory: `/pool/vdbs/${id}`, exported_data_pool: "uuid" };
  const origin = {
    ...(parent === undefined ? {} : { parent_id: parent }),
    ...(timestamp === undefined ? {} : { parent_timeflow_timestamp: timestamp }),
  };
  return {
    id,
    name,
    tags,
    enabled: true,
    engine_id: engine.id,
    group_name: group.name,
    environment_id: environment.id,
    ...exported,
    ...origin,
  };
}

function selected<T extends object>(
  all: readonly T[],
  filter: Filter | undefined,
  { sort, limit }: SearchOptions = {},
): readonly T[] {
  const found = all.filter((one) => matches(one, filter));
  if (sort !== undefined) {
    const [field, sign] = sort.startsWith("-") ? [sort.slice(1), -1] : [sort, 1];
    const of = (one: T): string => JSON.stringify(new Map(Object.entries(one)).get(field) ?? "");
    found.sort((left, right) => sign * (of(left) < of(right) ? -1 : of(left) > of(right) ? 1 : 0));
  }
  return limit === undefined ? found : found.slice(0, limit);
}
