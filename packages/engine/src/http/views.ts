/** From the catalogue's rows to the objects of the wire. */
import type { Bookmark, DatasetGroup, DSource, Engine, Environment, Job, Snapshot, Timeflow, Vdb } from "@vdb/dct";
import { snapshotsOfBookmark } from "../catalogue/bookmarks.ts";
import { dSourceById, latestSnapshot, vdbById } from "../catalogue/datasets.ts";
import { engineId, poolUuid } from "../catalogue/engine-row.ts";
import { allGroups } from "../catalogue/places.ts";
import type {
  BookmarkRow,
  DSourceRow,
  EnvironmentRow,
  GroupRow,
  JobRow,
  SnapshotRow,
  TimeflowRow,
  VdbRow,
} from "../catalogue/rows.ts";
import type { VdbParams } from "../catalogue/vdb-params.ts";
import { placeOfSnapshot, placeOfVdb } from "../pool/places.ts";
import type { Bytes } from "../pool/pool.ts";
import type { StorageFigures } from "../storage.ts";
import type { ApiState } from "./state.ts";

const ofEngine = (state: ApiState) => ({ engine_id: engineId(state.catalogue), engine_name: state.engineName() });
const groupName = ({ catalogue }: ApiState, id: string): string =>
  allGroups(catalogue).find((group) => group.id === id)?.name ?? id;
const sizesOf = (bytes: Bytes | undefined) => (bytes === undefined ? {} : { storage_size: bytes.exclusive, size: bytes.total });

export const viewEngine = (state: ApiState): Engine => ({
  id: engineId(state.catalogue),
  name: state.engineName(),
  type: "VIRTUALIZATION",
  version: state.version,
  hostname: state.publicHost,
  status: "CREATED",
  connection_status: "ONLINE",
  ...storageOf(state.storageFigures()),
});

const storageOf = ({ capacityBytes, usedBytes, reserveBytes }: StorageFigures) => ({
  data_storage_capacity: capacityBytes,
  data_storage_used: usedBytes,
  data_storage_reserve: reserveBytes,
});

export const viewGroup = (state: ApiState, row: GroupRow): DatasetGroup => ({ ...row, ...ofEngine(state) });

export const viewEnvironment = (state: ApiState, row: EnvironmentRow): Environment => ({
  id: row.id,
  name: row.name,
  ...ofEngine(state),
  enabled: true,
  is_cluster: false,
  hosts: [{ id: `${row.id}-HOST`, hostname: state.nodeName, os_name: "Linux", available: true }],
  repositories: [
    { id: row.repository_id, name: row.repository_name, database_type: "AppData", allow_provisioning: true, is_staging: false },
  ],
});

/** The place of a dSource's newest snapshot: its bytes are the dSource's. */
export const placeOfDSource = ({ catalogue }: ApiState, row: DSourceRow): string | undefined => {
  const latest = latestSnapshot(catalogue, row.id);
  return latest === undefined ? undefined : placeOfSnapshot(latest.id);
};

export const viewDSource = (state: ApiState, row: DSourceRow, bytes: Bytes | undefined): DSource => ({
  id: row.id,
  name: row.name,
  database_type: "Postgres",
  ...versionOf(latestSnapshot(state.catalogue, row.id)),
  ...ofEngine(state),
  group_name: groupName(state, row.group_id),
  status: statusOfDSource(row),
  enabled: true,
  is_appdata: true,
  creation_date: row.created,
  current_timeflow_id: row.timeflow_id,
  // What its newest snapshot would hold alone: blocks it shares with clones are the dSource's, not theirs.
  ...(bytes === undefined ? {} : { storage_size: bytes.total, size: bytes.total }),
  appdata_source_params: withoutPassword(row),
  tags: row.tags,
});

/** The last error stays in sight until a snapshot succeeds. */
function statusOfDSource({ state, last_error }: DSourceRow): string {
  if (last_error !== undefined) return `Error: ${last_error}`;
  return { linking: "Linking", linked: "Linked", deleting: "Deleting" }[state];
}

/** What the API gave as a password is never given back. */
const withoutPassword = ({ connection }: DSourceRow): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(connection).filter(([name]) => name !== "password"));

const versionOf = (snapshot: SnapshotRow | undefined) =>
  snapshot?.version === undefined ? {} : { database_version: snapshot.version };

const vdbStatus = (row: VdbRow): string => {
  if (row.state === "creating") return "PROVISIONING";
  if (row.state === "deleting") return "DELETING";
  return row.enabled ? "RUNNING" : "DISABLED";
};

function exportOf({ catalogue, pool }: ApiState, { id }: VdbRow): Pick<Vdb, "exported_data_directory" | "exported_data_pool"> {
  const uuid = poolUuid(catalogue);
  return {
    exported_data_directory: pool.pathOf(placeOfVdb(id)),
    ...(uuid === undefined ? {} : { exported_data_pool: uuid }),
  };
}

export const viewVdb = (state: ApiState, row: VdbRow, bytes: Bytes | undefined): Vdb => ({
  ...exportOf(state, row),
  id: row.id,
  name: row.name,
  database_type: "Postgres",
  database_name: row.database_name,
  ...(row.database_version === undefined ? {} : { database_version: row.database_version }),
  ...ofEngine(state),
  environment_id: row.environment_id,
  group_name: groupName(state, row.group_id),
  status: vdbStatus(row),
  enabled: row.enabled,
  containerization_state: row.enabled ? "RUNNING_IN_CONTAINER" : "READY_FOR_CONTAINER",
  is_appdata: true,
  creation_date: row.created,
  current_timeflow_id: row.timeflow_id,
  ...(row.previous_timeflow_id === undefined ? {} : { previous_timeflow_id: row.previous_timeflow_id }),
  ...(row.last_refreshed === undefined ? {} : { last_refreshed_date: row.last_refreshed }),
  parent_id: row.parent_id,
  parent_dsource_id: row.parent_dsource_id,
  root_parent_id: row.parent_dsource_id,
  ...(row.parent_timestamp === undefined ? {} : { parent_timeflow_timestamp: row.parent_timestamp }),
  ...(row.mount_point === undefined ? {} : { mount_point: row.mount_point }),
  ...sizesOf(bytes),
  tags: row.tags,
});

/** May be large, so that lists leave them out. */
export const viewVdbParams = (params: VdbParams | undefined): Pick<Vdb, "appdata_source_params" | "appdata_config_params"> =>
  params === undefined ? {} : { appdata_source_params: params.source_params, appdata_config_params: params.config_params };

export const viewSnapshot = ({ catalogue }: Pick<ApiState, "catalogue">, row: SnapshotRow): Snapshot => ({
  id: row.id,
  name: `@${row.timestamp ?? row.created}`,
  engine_id: engineId(catalogue),
  dataset_id: row.dataset_id,
  timeflow_id: row.timeflow_id,
  creation_time: row.created,
  ...(row.timestamp === undefined ? {} : { timestamp: row.timestamp, start_timestamp: row.timestamp }),
  ...(row.location === undefined ? {} : { location: row.location }),
  ...(row.consistency === undefined ? {} : { consistency: row.consistency }),
  ...(row.version === undefined ? {} : { version: row.version }),
  temporary: false,
});

export const viewTimeflow = ({ catalogue }: Pick<ApiState, "catalogue">, row: TimeflowRow): Timeflow => ({
  id: row.id,
  name: `${row.creation_type}@${row.created}`,
  engine_id: engineId(catalogue),
  dataset_id: row.dataset_id,
  creation_type: row.creation_type,
  ...(row.snapshot_id === undefined ? {} : { parent_snapshot_id: row.snapshot_id }),
  ...(row.parent_timeflow_id === undefined ? {} : { parent_point_timeflow_id: row.parent_timeflow_id }),
  ...(row.parent_timestamp === undefined ? {} : { parent_point_timestamp: row.parent_timestamp }),
  ...(row.parent_location === undefined ? {} : { parent_point_location: row.parent_location }),
});

const bookmarkStatus = { creating: "CREATING", ready: "ACTIVE", deleting: "DELETING" } as const;

const stamp = ({ timestamp }: SnapshotRow) => (timestamp === undefined ? {} : { data_timestamp: timestamp });

export function viewBookmark({ catalogue }: Pick<ApiState, "catalogue">, row: BookmarkRow): Bookmark {
  const all = snapshotsOfBookmark(catalogue, row.id);
  const of = (kind: SnapshotRow["dataset_kind"]): readonly SnapshotRow[] => all.filter((one) => one.dataset_kind === kind);
  // Of several the oldest: as of then everything in the bookmark is at least.
  const [oldest] = all.flatMap(({ timestamp }) => timestamp ?? []).toSorted();
  return {
    id: row.id,
    name: row.name,
    creation_date: row.created,
    ...(oldest === undefined ? {} : { data_timestamp: oldest }),
    vdb_ids: of("VDB").map(({ dataset_id }) => dataset_id),
    dsource_ids: of("dSource").map(({ dataset_id }) => dataset_id),
    bookmark_status: bookmarkStatus[row.state],
    bookmark_type: row.bookmark_type,
    vdbs: of("VDB").map((one) => ({
      vdb_id: one.dataset_id,
      vdb_name: vdbById(catalogue, one.dataset_id)?.name ?? one.dataset_id,
      snapshot_id: one.id,
      timeflow_id: one.timeflow_id,
      ...stamp(one),
    })),
    dsources: of("dSource").map((one) => ({
      dsource_id: one.dataset_id,
      dsource_name: dSourceById(catalogue, one.dataset_id)?.name ?? one.dataset_id,
      snapshot_id: one.id,
      timeflow_id: one.timeflow_id,
      ...stamp(one),
    })),
    tags: [...row.tags],
  };
}

export const viewJob = (state: ApiState, row: JobRow): Job => {
  const progress = state.runner.progressOf(row.id);
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    target_id: row.target_id,
    target_name: row.target_name,
    start_time: row.created,
    update_time: row.updated,
    percent_complete: progress?.percentComplete ?? row.percent_complete,
    ...(progress === undefined
      ? {}
      : { tasks: [{ title: progress.task, status: row.status, percent_complete: progress.percentComplete }] }),
    ...(row.status === "FAILED" && row.failure !== undefined ? { error_details: row.failure } : {}),
  };
};
