import type { RefreshSnapshotRef, RewindSnapshotRef, SnapshotStatus } from "@vdb/api";
import { allOf, anyOf, type DctClient, eq, isQuotable, oneOf, type Snapshot, type Vdb } from "@vdb/dct";
import { ActionFailed } from "../../action-failed.ts";
import { bookmarkChoices, pointsOf, snapshotChoices } from "./choices.ts";

type Dct = Pick<DctClient, "searchSnapshots" | "searchBookmarks">;

/** What a refresh or rewind asks for, with what Kubernetes knows of it. */
export interface Sought {
  readonly change: "refresh" | "rewind";
  /** Undefined: the latest. `previous` is answered elsewhere. */
  readonly ref: RefreshSnapshotRef | RewindSnapshotRef | undefined;
  /** Of the VolumeSnapshot that `ref` names: the DCT snapshot's id. */
  readonly handle: string | undefined;
  /** When the present data was opened: what was taken before may be data that hooks had not changed yet. */
  readonly openedTime: string | undefined;
  /** Ids of snapshots that are known to have been taken with the gate open. */
  readonly takenOpen: ReadonlySet<string>;
}

/** The snapshot of DCT that is meant. Throws ActionFailed with the choices there are when there is none, or it is another's. */
export async function chooseSnapshot(
  dct: Dct,
  vdb: Vdb,
  sought: Sought,
  signal: AbortSignal,
): Promise<SnapshotStatus & { readonly id: string }> {
  const datasets = datasetsOf(vdb, sought.change);
  const found = await meant(dct, datasets, sought, signal);
  if (found === undefined) throw await notFound(dct, datasets, sought, signal);
  if (!datasets.includes(found.dataset_id ?? ""))
    throw new ActionFailed(
      "SnapshotNotUsable",
      `snapshot ${found.id} is one of dataset ${found.dataset_id ?? "unknown"}, and a ${sought.change} of VDB ${vdb.name ?? vdb.id} ` +
        `takes those of ${datasets.join(" and ")}; ${await snapshotChoices(dct, datasets, signal)}`,
    );
  const { id, timestamp } = found;
  const { type = "dct-snapshot", name } = sought.ref ?? {};
  return {
    type: type === "timestamp" ? "dct-snapshot" : type,
    name: type === "timestamp" ? id : (name ?? id),
    id,
    readyToUse: true,
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

/** A refresh takes the source's data, and also the database's own; a rewind its own alone. */
const datasetsOf = ({ id, parent_id: parent }: Vdb, change: Sought["change"]): readonly string[] =>
  change === "refresh" && parent !== undefined ? [parent, id] : [id];

async function meant(
  dct: Dct,
  datasets: readonly string[],
  { change, ref, handle, openedTime, takenOpen }: Sought,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  const name = ref?.name ?? "";
  switch (ref?.type) {
    case undefined:
      return change === "refresh"
        ? await newestOf(dct, datasets[0] ?? "", undefined, signal)
        : await latestOpen(dct, datasets[0] ?? "", { openedTime, takenOpen }, signal);
    case "timestamp":
      return await newestOf(dct, datasets[0] ?? "", name, signal);
    case "volume-snapshot":
      return handle === undefined ? undefined : await byId(dct, handle, signal);
    case "dct-bookmark":
      return await bookmarked(dct, datasets, name, signal);
    case "dct-snapshot":
      if (!isQuotable(name)) return undefined;
      return (await byId(dct, name, signal)) ?? (await byName(dct, datasets, name, signal));
    case "previous":
      return undefined;
    default:
      return ref satisfies never;
  }
}

/** The newest that was taken with the gate open. An earlier or unknown one has to be named. */
async function latestOpen(
  dct: Dct,
  dataset: string,
  { openedTime, takenOpen }: Pick<Sought, "openedTime" | "takenOpen">,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  const all = await dct.searchSnapshots(eq("dataset_id", dataset), { sort: "-timestamp", signal });
  const since = openedTime === undefined ? Infinity : Date.parse(openedTime);
  return all.find(({ id, timestamp = "" }) => takenOpen.has(id) || Date.parse(timestamp) >= since);
}

async function byId(dct: Dct, id: string, signal: AbortSignal): Promise<Snapshot | undefined> {
  const [found] = await dct.searchSnapshots(eq("id", id), { limit: 1, signal });
  return found;
}

async function byName(dct: Dct, datasets: readonly string[], name: string, signal: AbortSignal): Promise<Snapshot | undefined> {
  const [found] = await dct.searchSnapshots(allOf(eq("name", name), oneOf("dataset_id", datasets)), { limit: 1, signal });
  return found;
}

/** The newest, or the newest at or before a moment. DCT's times are compared here: their texts may differ in length. */
async function newestOf(
  dct: Dct,
  dataset: string,
  moment: string | undefined,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  const all = await dct.searchSnapshots(eq("dataset_id", dataset), {
    sort: "-timestamp",
    signal,
    ...(moment === undefined ? { limit: 1 } : {}),
  });
  return moment === undefined ? all[0] : all.find(({ timestamp = "" }) => Date.parse(timestamp) <= Date.parse(moment));
}

async function bookmarked(
  dct: Dct,
  datasets: readonly string[],
  name: string,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  if (!isQuotable(name)) return undefined;
  const [bookmark] = await dct.searchBookmarks(anyOf(eq("name", name), eq("id", name)), { limit: 1, signal });
  if (bookmark === undefined) return undefined;
  const points = pointsOf(bookmark);
  const point = datasets.map((dataset) => points.find((one) => one.dataset === dataset)).find((one) => one?.id !== undefined);
  if (point?.id === undefined)
    throw new ActionFailed(
      "SnapshotNotUsable",
      `bookmark ${name} does not cover this database, it covers ${points.map(({ dataset }) => dataset).join(", ") || "nothing"}; ` +
        (await bookmarkChoices(dct, datasets, signal)),
    );
  return await byId(dct, point.id, signal);
}

async function notFound(
  dct: Dct,
  datasets: readonly string[],
  { ref, change, openedTime }: Sought,
  signal: AbortSignal,
): Promise<ActionFailed> {
  const choices =
    ref?.type === "dct-bookmark" ? await bookmarkChoices(dct, datasets, signal) : await snapshotChoices(dct, datasets, signal);
  return new ActionFailed("SnapshotNotFound", `${missing(ref, change, openedTime)}; ${choices}`);
}

function missing(ref: Sought["ref"], change: Sought["change"], openedTime: string | undefined): string {
  // What jq prints where a script has found nothing.
  if (ref?.name === "null") return 'spec.snapshotRef.name is the word "null": the search that was to give it has found nothing';
  if (ref !== undefined) return `there is no ${ref.type} ${ref.name ?? ""}`;
  if (change === "refresh") return "the source has no snapshot";
  const since = openedTime === undefined ? "" : ` (${openedTime})`;
  return `the database has no snapshot that was taken after its gate had opened${since}: name an earlier one in spec.snapshotRef`;
}
