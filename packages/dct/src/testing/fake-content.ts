/** What gives a VDB of the fake other data, and its bookmarks: as the embedded engine does it, see contract.ts. */
import type { DctClient } from "../client.ts";
import type { Snapshot, Timeflow, Vdb } from "../contract/datasets.ts";
import { DctError } from "../errors.ts";
import type { FakeWorld, JobLength } from "./fake-world.ts";

export interface Playing {
  readonly world: FakeWorld;
  readonly jobs: JobLength;
  /** The words with which every refresh and rollback fails. */
  readonly failure: string | undefined;
  readonly switchFailure: (() => string | undefined) | undefined;
  readonly call: <T>(name: string, id: string, effect: () => T) => Promise<T>;
}

type Played = Pick<
  DctClient,
  | "refreshBySnapshot"
  | "refreshByTimestamp"
  | "refreshFromBookmark"
  | "rollbackBySnapshot"
  | "rollbackByTimestamp"
  | "rollbackFromBookmark"
  | "undoRefresh"
  | "switchTimeflow"
  | "deleteTimeflow"
  | "createBookmark"
  | "deleteBookmark"
>;

type Change = "REFRESH" | "ROLLBACK";
type Ending = Promise<{ readonly jobId: string }>;

const changing: readonly (string | undefined)[] = ["DB_REFRESH", "DB_ROLLBACK", "DB_UNDO_REFRESH", "DB_SWITCH_TIMEFLOW"];

export function fakeContent({ world, jobs, failure, switchFailure, call }: Playing): Played {
  const start = (type: string, id: string, effect: () => void, words?: string): { readonly jobId: string } => {
    const targetName = world.vdb(id)?.name;
    const done = (): void => void (words === undefined && effect());
    return { jobId: world.startJob({ type, targetId: id, targetName, failure: words }, jobs, done).id };
  };
  const goTo = (id: string, to: Timeflow, more: Partial<Vdb> = {}): void => {
    const vdb = vdbOf(world, id);
    world.timeflows.set(to.id, to);
    world.vdbs.set(id, { ...withPrevious(vdb, vdb.current_timeflow_id), current_timeflow_id: to.id, ...stampOf(to), ...more });
  };
  const replace = (change: Change, id: string, pick: (vdb: Vdb) => Snapshot): Ending =>
    call(change === "REFRESH" ? "refresh" : "rollback", id, () => {
      const from = pick(changeable(world, id));
      const to = world.newTimeflow(id, change, from);
      return start(`DB_${change}`, id, () => goTo(id, to), failure);
    });
  const bySnapshot = (change: Change) => (id: string, point: { readonly snapshot_id?: string }) =>
    replace(change, id, (vdb) => named(world, vdb, change, point.snapshot_id));
  const byTimestamp =
    (change: Change) =>
    (id: string, { timestamp, timeflow_id, dataset_id }: { timestamp?: string; timeflow_id?: string; dataset_id?: string }) =>
      replace(change, id, (vdb) => asOf(world, vdb, change, timestamp, timeflow_id, dataset_id));
  const fromBookmark = (change: Change) => (id: string, point: { readonly bookmark_id: string }) =>
    replace(change, id, (vdb) => bookmarked(world, vdb, change, point.bookmark_id));

  return {
    refreshBySnapshot: bySnapshot("REFRESH"),
    refreshByTimestamp: byTimestamp("REFRESH"),
    refreshFromBookmark: fromBookmark("REFRESH"),
    rollbackBySnapshot: bySnapshot("ROLLBACK"),
    rollbackByTimestamp: byTimestamp("ROLLBACK"),
    rollbackFromBookmark: fromBookmark("ROLLBACK"),
    undoRefresh: (id) =>
      call("undoRefresh", id, () => {
        const { previous_timeflow_id: previous = "", name = id } = changeable(world, id);
        const to = world.timeflows.get(previous);
        if (to === undefined) throw new DctError("conflict", `VDB ${name} has nothing to undo`);
        return start("DB_UNDO_REFRESH", id, () => {
          goTo(id, to);
          world.vdbs.set(id, withPrevious(vdbOf(world, id), undefined));
        });
      }),
    switchTimeflow: (id, { timeflow_id }) =>
      call("switchTimeflow", id, () => {
        const vdb = changeable(world, id);
        const to = world.timeflows.get(timeflow_id);
        if (to === undefined || to.dataset_id !== id || to.id === vdb.current_timeflow_id)
          throw new DctError("conflict", `VDB ${vdb.name} cannot switch to timeflow ${timeflow_id}`);
        return start("DB_SWITCH_TIMEFLOW", id, () => goTo(id, to), switchFailure?.());
      }),
    deleteTimeflow: (id) =>
      call("deleteTimeflow", id, () => {
        if (!world.timeflows.has(id)) throw new DctError("notFound", `there is no timeflow ${id}`);
        const user = [...world.vdbs.values()].find((vdb) => vdb.current_timeflow_id === id);
        if (user !== undefined) throw new DctError("conflict", `timeflow ${id} is the current one of ${user.name}`);
        return start("TIMEFLOW_DELETE", id, () => {
          world.timeflows.delete(id);
          for (const vdb of world.vdbs.values())
            if (vdb.previous_timeflow_id === id) world.vdbs.set(vdb.id, withPrevious(vdb, undefined));
        });
      }),
    createBookmark: (wanted) =>
      call("createBookmark", "", () => {
        const { name, vdb_ids = [], snapshot_ids = [] } = wanted;
        if ((vdb_ids.length === 0) === (snapshot_ids.length === 0))
          throw new DctError("refused", "body: must contain vdb_ids or snapshot_ids");
        const taken = vdb_ids.map((id) => world.reserveSnapshot(vdbOf(world, id).id));
        const all = [...snapshot_ids.map((id) => snapshotOf(world, id)), ...taken];
        const vdbs = all.map(({ id, dataset_id = "" }) => ({ vdb_id: dataset_id, snapshot_id: id }));
        const id = `1-BOOKMARK-${world.nextNumber()}`;
        const ids = vdbs.map(({ vdb_id }) => vdb_id);
        const bookmark = { id, name, vdb_ids: ids, vdbs, tags: [...(wanted.tags ?? [])], bookmark_status: "CREATING" };
        world.bookmarks.push(bookmark);
        const ready = (): void => {
          for (const one of taken) world.vdbSnapshots.set(one.id, one);
          bookmark.bookmark_status = "ACTIVE";
        };
        return { bookmark: { ...bookmark }, ...start("BOOKMARK_CREATE", id, ready) };
      }),
    deleteBookmark: (id) =>
      call("deleteBookmark", id, () => {
        const at = (): number => world.bookmarks.findIndex((one) => one.id === id);
        if (at() < 0) throw new DctError("notFound", `there is no bookmark ${id}`);
        return start("BOOKMARK_DELETE", id, () => void world.bookmarks.splice(at(), 1));
      }),
  };
}

function vdbOf(world: FakeWorld, id: string): Vdb {
  const vdb = world.vdb(id);
  if (vdb === undefined) throw new DctError("notFound", `there is no VDB ${id}`);
  return vdb;
}

/** A second change at a time is refused, so is one of a VDB that is in use. */
function changeable(world: FakeWorld, id: string): Vdb {
  const vdb = vdbOf(world, id);
  const running = world.jobs.find((job) => job.target_id === id && changing.includes(job.type) && job.status === "STARTED");
  if (running !== undefined) throw new DctError("conflict", `VDB ${vdb.name}: job ${running.id} changes its data`);
  if (world.mounted.has(id)) throw new DctError("conflict", `VDB ${vdb.name} is in use: its data is mounted`);
  return vdb;
}

function snapshotOf(world: FakeWorld, id: string): Snapshot {
  const found = world.snapshots().find((one) => one.id === id);
  if (found === undefined) throw new DctError("notFound", `there is no snapshot ${id}`);
  return found;
}

const sourcesOf = (vdb: Vdb, change: Change): readonly (string | undefined)[] =>
  change === "REFRESH" ? [vdb.parent_id, vdb.id] : [vdb.id];

const newestFirst = (snapshots: readonly Snapshot[]): readonly Snapshot[] =>
  snapshots.toSorted((a, b) => Date.parse(b.timestamp ?? "") - Date.parse(a.timestamp ?? ""));

function named(world: FakeWorld, vdb: Vdb, change: Change, id: string | undefined): Snapshot {
  if (id === undefined) return asOf(world, vdb, change, undefined);
  const found = snapshotOf(world, id);
  if (sourcesOf(vdb, change).includes(found.dataset_id)) return found;
  throw new DctError("refused", `snapshot ${id} belongs to ${found.dataset_id}`);
}

function asOf(
  world: FakeWorld,
  vdb: Vdb,
  change: Change,
  timestamp: string | undefined,
  timeflowId?: string,
  datasetId?: string,
): Snapshot {
  const from = world.timeflows.get(timeflowId ?? "")?.dataset_id ?? datasetId ?? sourcesOf(vdb, change)[0];
  const found = newestFirst(world.snapshots()).find(
    (one) =>
      one.dataset_id === from &&
      (timeflowId === undefined || one.timeflow_id === timeflowId) &&
      (timestamp === undefined || Date.parse(one.timestamp ?? "") <= Date.parse(timestamp)),
  );
  if (found === undefined) throw new DctError("conflict", `there is no data of ${from} as of ${timestamp ?? "now"}`);
  return found;
}

function bookmarked(world: FakeWorld, vdb: Vdb, change: Change, id: string): Snapshot {
  const bookmark = world.bookmarks.find((one) => one.id === id);
  if (bookmark === undefined) throw new DctError("notFound", `there is no bookmark ${id}`);
  const all = (bookmark.vdbs ?? []).map(({ snapshot_id = "" }) => snapshotOf(world, snapshot_id));
  const found = sourcesOf(vdb, change).flatMap((source) => all.filter((one) => one.dataset_id === source))[0];
  if (found === undefined) throw new DctError("refused", `bookmark ${bookmark.name} does not cover VDB ${vdb.name}`);
  return found;
}

const stampOf = ({ parent_point_timestamp: stamp }: Timeflow): Partial<Vdb> =>
  stamp === undefined ? {} : { parent_timeflow_timestamp: stamp };

function withPrevious(vdb: Vdb, previous: string | undefined): Vdb {
  const { previous_timeflow_id: _, ...rest } = vdb;
  return previous === undefined ? rest : { ...rest, previous_timeflow_id: previous };
}
