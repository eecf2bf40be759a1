/** Requests for every kind of job, chosen at random, on what there is at this moment; those that were seldom taken more often. */
import { callByHand, type EngineProcess } from "./engine.ts";
import { password } from "./postgres.ts";
import type { Scratch } from "./scratch.ts";

/** What a load is sent to, and what it has been told. */
export interface Load {
  readonly scratch: Scratch;
  readonly engine: EngineProcess;
  readonly sourcePort: number;
  readonly random: () => number;
  readonly told: Told;
  /** Nobody asks to delete this snapshot: without any there would be no more VDBs. */
  readonly origin: string;
}

export interface Told {
  /** The dataset of each snapshot that an answer has shown. */
  readonly snapshots: Map<string, string>;
  /** Snapshots and datasets that somebody has asked to delete, and was not refused; how often. */
  readonly unwanted: Map<string, number>;
  readonly statuses: Map<number, number>;
  /** How often the engine has taken a request, by its place in the list of all. */
  readonly taken: Map<number, number>;
}

interface World {
  readonly vdbs: readonly Item[];
  readonly dsources: readonly (Item & { readonly name?: string | undefined })[];
  readonly snapshots: readonly Item[];
  readonly timeflows: readonly Item[];
  readonly bookmarks: readonly Item[];
  readonly groups: readonly Item[];
}

interface Item {
  readonly id: string;
  readonly dataset_id?: string | undefined;
}

interface Asked {
  readonly place: number;
  readonly method?: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  /** What it takes away. */
  readonly unwanted?: string;
}

/** More than so many, and something of the kind is deleted instead. */
const most = { vdbs: 12, snapshots: 30, dsources: 3, bookmarks: 8 } as const;

/** What there is is asked for anew after so many requests. */
const requestsPerLook = 4;

/** Sends requests one after the other until the engine does not answer any more. */
export async function keepAsking(load: Load): Promise<void> {
  try {
    for (;;) {
      const world = await worldOf(load);
      for (let left = requestsPerLook; left > 0; left -= 1) await ask(load, choose(world, load));
    }
  } catch (error) {
    // An answer that clients cannot read is a fault; an engine that was killed is not.
    if (error instanceof Error && error.name === "AssertionError") throw error;
  }
}

async function ask(load: Load, { place, method = "POST", path, body = {}, unwanted }: Asked): Promise<void> {
  const count = (step: number): void => {
    if (unwanted !== undefined) load.told.unwanted.set(unwanted, (load.told.unwanted.get(unwanted) ?? 0) + step);
  };
  count(1);
  // Node.js tells nobody of a DELETE's body.
  const { status } = await callByHand(load.engine, load.scratch, method, path, method === "DELETE" ? undefined : body);
  if (status >= 400) count(-1);
  else load.told.taken.set(place, (load.told.taken.get(place) ?? 0) + 1);
  load.told.statuses.set(status, (load.told.statuses.get(status) ?? 0) + 1);
}

async function worldOf({ engine: { client }, told }: Load): Promise<World> {
  const [vdbs, dsources, snapshots, timeflows, bookmarks, groups] = await Promise.all([
    client.searchVdbs(),
    client.searchDSources(),
    client.searchSnapshots(),
    client.searchTimeflows(),
    client.searchBookmarks(),
    client.searchGroups(),
  ]);
  for (const { id, dataset_id = "" } of snapshots) told.snapshots.set(id, dataset_id);
  return { vdbs, dsources, snapshots, timeflows, bookmarks, groups };
}

function choose(world: World, { random, sourcePort, origin, told }: Load): Asked {
  const one = (items: readonly Item[]): string => items[Math.floor(random() * items.length)]?.id ?? "none";
  const name = `n${Math.floor(random() * 1e9)}`;
  const [vdb, dsource, snapshot, timeflow, bookmark] = [
    one(world.vdbs),
    one(world.dsources),
    one(world.snapshots),
    one(world.timeflows),
    one(world.bookmarks),
  ];
  const timeflowsOf = (id: string): readonly Item[] => world.timeflows.filter(({ dataset_id }) => dataset_id === id);
  // Most VDBs have no former data: nothing of theirs could be undone or switched to.
  const changed = one(world.vdbs.filter(({ id }) => timeflowsOf(id).length > 1));
  const withSnapshot = one(world.vdbs.filter(({ id }) => world.snapshots.some(({ dataset_id }) => dataset_id === id)));
  const later = `${2100 + Math.floor(random() * 100)}-01-01`;
  const provision = { path: "/vdbs/provision_by_snapshot", body: { snapshot_id: snapshot, name } };
  const deleteVdb = { path: `/vdbs/${vdb}/delete`, unwanted: vdb };
  const old = one(world.snapshots.filter(({ id }) => id !== origin));
  const deleteSnapshot = { method: "DELETE", path: `/snapshots/${old}`, unwanted: old } as const;
  const createBookmark = {
    path: "/bookmarks",
    body: random() < 0.5 ? { name, vdb_ids: [vdb] } : { name, snapshot_ids: [snapshot] },
  };
  const deleteBookmark = { method: "DELETE", path: `/bookmarks/${bookmark}` } as const;
  const link = {
    path: "/dsources/appdata",
    body: { name, group_id: one(world.groups), parameters: { host: "127.0.0.1", port: sourcePort, user: "postgres", password } },
  };
  // The first dSource is what everything else comes from.
  const second = one(world.dsources.filter((source) => source.name !== "production"));
  const deleteDSource = { path: "/dsources/delete", body: { dsource_id: second, force: true }, unwanted: second };
  const isFull = {
    vdbs: world.vdbs.length >= most.vdbs,
    snapshots: world.snapshots.length >= most.snapshots,
    dsources: world.dsources.length >= most.dsources,
    bookmarks: world.bookmarks.length >= most.bookmarks,
  };
  const asks: readonly Omit<Asked, "place">[] = [
    isFull.vdbs ? deleteVdb : provision,
    isFull.vdbs ? deleteVdb : { ...provision, body: { source_data_id: vdb, name } },
    isFull.snapshots ? deleteSnapshot : { path: `/vdbs/${vdb}/snapshots` },
    { path: `/dsources/${dsource}/snapshots` },
    isFull.dsources ? deleteDSource : link,
    isFull.bookmarks ? deleteBookmark : createBookmark,
    { path: `/vdbs/${vdb}/refresh_by_snapshot`, body: random() < 0.5 ? {} : { snapshot_id: snapshot } },
    random() < 0.5
      ? { path: `/vdbs/${withSnapshot}/rollback_by_snapshot` }
      : { path: `/vdbs/${vdb}/rollback_by_snapshot`, body: { snapshot_id: snapshot } },
    { path: `/vdbs/${random() < 0.5 ? changed : vdb}/undo_refresh` },
    random() < 0.5
      ? { path: `/vdbs/${changed}/switch_timeflow`, body: { timeflow_id: one(timeflowsOf(changed)) } }
      : { path: `/vdbs/${vdb}/switch_timeflow`, body: { timeflow_id: timeflow } },
    { method: "DELETE", path: `/timeflows/${random() < 0.5 ? one(timeflowsOf(changed)) : timeflow}` },
    { path: `/vdbs/${vdb}/${random() < 0.5 ? "enable" : "disable"}` },
    { path: `/vdbs/${vdb}/${random() < 0.5 ? "start" : "stop"}` },
    { method: "PATCH", path: `/vdbs/${vdb}`, body: { description: name } },
    { method: "PATCH", path: `/snapshots/${snapshot}`, body: { expiration: later } },
    { method: "PATCH", path: `/bookmarks/${bookmark}`, body: { expiration: later } },
    random() < 0.3 ? deleteVdb : provision,
    random() < 0.5 ? deleteSnapshot : { path: `/vdbs/${vdb}/snapshots` },
    random() < 0.3 ? deleteDSource : link,
    random() < 0.5 ? deleteBookmark : createBookmark,
  ];
  // What is refused while other jobs run, as most of it is, would else never come where jobs take long.
  const places = [...asks.keys()];
  const timesTaken = (place: number): number => told.taken.get(place) ?? 0;
  const least = Math.min(...places.map(timesTaken));
  const from = random() < 0.5 ? places : places.filter((place) => timesTaken(place) === least);
  const place = from[Math.floor(random() * from.length)] ?? 0;
  return { place, ...(asks[place] ?? provision) };
}
