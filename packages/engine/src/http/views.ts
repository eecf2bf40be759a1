/** From the catalogue's rows to the objects of the wire. */
import type {
  Bookmark,
  DatasetGroup,
  DSource,
  Engine,
  Environment,
  EnvironmentUser,
  Job,
  Snapshot,
  Source,
  Timeflow,
  Vdb,
} from "@vdb/dct";
import { snapshotsOfBookmark } from "../catalogue/bookmarks.ts";
import { dSourceById, latestSnapshot, vdbById } from "../catalogue/datasets.ts";
import { engineId, poolUuid, tagsOfEngine } from "../catalogue/engine-row.ts";
import { allEnvironments, allGroups } from "../catalogue/places.ts";
import {
  type BookmarkRow,
  type DSourceRow,
  type EnvironmentRow,
  type GroupRow,
  isEmptySource,
  type JobRow,
  type JobType,
  type SnapshotRow,
  type TimeflowRow,
  type VdbRow,
} from "../catalogue/rows.ts";
import type { VdbParams } from "../catalogue/vdb-params.ts";
import type { StreamState } from "../link/standbys.ts";
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
  insecure_ssl: false,
  tags: [...tagsOfEngine(state.catalogue)],
});

const storageOf = ({ capacityBytes, usedBytes, reserveBytes }: StorageFigures) => ({
  data_storage_capacity: capacityBytes,
  data_storage_used: usedBytes,
  data_storage_reserve: reserveBytes,
});

export const viewGroup = (state: ApiState, row: GroupRow): DatasetGroup => ({ ...row, ...ofEngine(state), is_replica: false });

export const viewEnvironment = (state: ApiState, row: EnvironmentRow): Environment => ({
  id: row.id,
  name: row.name,
  ...ofEngine(state),
  enabled: true,
  is_cluster: false,
  is_replica: false,
  is_windows_target: false,
  os_type: "UNIX",
  address: state.nodeName,
  hosts: [{ id: `${row.id}-HOST`, hostname: state.nodeName, os_name: "Linux", available: true }],
  repositories: [
    { id: row.repository_id, name: row.repository_name, database_type: "AppData", allow_provisioning: true, is_staging: false },
  ],
  env_users: viewUsers(row),
  tags: [...row.tags],
});

/** The one user of an environment: whom the data belongs to. */
export const viewUsers = ({ id }: EnvironmentRow): readonly EnvironmentUser[] => [
  { user_ref: `${id}-USER`, username: "postgres", primary_user: true },
];

/** The place of a dSource's newest snapshot: its bytes are the dSource's. */
export const placeOfDSource = ({ catalogue }: ApiState, row: DSourceRow): string | undefined => {
  const latest = latestSnapshot(catalogue, row.id);
  return latest === undefined ? undefined : placeOfSnapshot(latest.id);
};

/** A dSource's source has its number. */
const sourceIdOf = (dSourceId: string): string => dSourceId.replace("-APPDATA_CONTAINER-", "-APPDATA_SOURCE_CONFIG-");
/** The id of the dSource that is linked to a source. Another text stays what it is not: the id of a dSource. */
export const dSourceOf = (sourceId: string): string =>
  sourceId.includes("-APPDATA_SOURCE_CONFIG-")
    ? sourceId.replace("-APPDATA_SOURCE_CONFIG-", "-APPDATA_CONTAINER-")
    : `no source: ${sourceId}`;

export const viewSource = ({ catalogue }: ApiState, row: DSourceRow): Source => ({
  id: sourceIdOf(row.id),
  name: row.name,
  database_type: "Postgres",
  ...versionOf(latestSnapshot(catalogue, row.id)),
  ...(isEmptySource(row.connection) ? {} : { fqdn: row.connection.host }),
  is_dsource: true,
  is_replica: false,
  tags: row.source_tags,
});

export const viewDSource = (state: ApiState, row: DSourceRow, bytes: Bytes | undefined): DSource => ({
  id: row.id,
  name: row.name,
  database_type: "Postgres",
  content_type: contentType,
  source_id: sourceIdOf(row.id),
  ...versionOf(latestSnapshot(state.catalogue, row.id)),
  ...ofEngine(state),
  group_name: groupName(state, row.group_id),
  status: statusOfDSource(row),
  enabled: true,
  is_appdata: true,
  is_replica: false,
  is_detached: false,
  creation_date: row.created,
  current_timeflow_id: row.timeflow_id,
  // What its newest snapshot would hold alone: blocks it shares with clones are the dSource's, not theirs.
  ...(bytes === undefined ? {} : { storage_size: bytes.total, size: bytes.total }),
  appdata_source_params: { ...withoutPassword(row), ...viewStream(state.streamOf(row.id)) },
  tags: row.tags,
});

/** The last error stays in sight until a snapshot succeeds. */
function statusOfDSource({ state, last_error }: DSourceRow): string {
  if (last_error !== undefined) return `Error: ${last_error}`;
  return { linking: "Linking", linked: "Linked", deleting: "Deleting" }[state];
}

/** DCT has no field for it. */
const viewStream = (stream: StreamState | undefined): Readonly<Record<string, unknown>> =>
  stream === undefined
    ? {}
    : {
        stream: {
          streaming: stream.isStreaming,
          ...(stream.because === undefined ? {} : { because: stream.because }),
          ...(stream.lagBytes === undefined ? {} : { lag_bytes: stream.lagBytes }),
          ...(stream.lagSeconds === undefined ? {} : { lag_seconds: stream.lagSeconds }),
          ...(stream.lastContact === undefined ? {} : { last_contact: stream.lastContact.toISOString() }),
        },
      };

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

/** Oracle's kinds of containers are not told apart here. */
const contentType = "APPDATA";

/** There is one API key: everything is done by one account. */
export const theAccount = { id: 1, name: "engine" } as const;
const accountName = (id: number): string => (id === theAccount.id ? theAccount.name : `account ${id}`);

const lockOf = ({ locked_by: by }: VdbRow) =>
  by === undefined ? { is_locked: false } : { is_locked: true, locked_by: by, locked_by_name: accountName(by) };

const repositoryOf = ({ catalogue }: ApiState, { environment_id: id }: VdbRow) => {
  const environment = allEnvironments(catalogue).find((one) => one.id === id);
  return environment === undefined ? {} : { repository_id: environment.repository_id, environment_user_ref: `${id}-USER` };
};

export const viewVdb = (state: ApiState, row: VdbRow, bytes: Bytes | undefined): Vdb => ({
  ...exportOf(state, row),
  id: row.id,
  name: row.name,
  ...(row.description === undefined ? {} : { description: row.description }),
  database_type: "Postgres",
  content_type: contentType,
  database_name: row.database_name,
  ...(row.database_version === undefined ? {} : { database_version: row.database_version }),
  ...ofEngine(state),
  environment_id: row.environment_id,
  ...repositoryOf(state, row),
  ...lockOf(row),
  vdb_restart: true,
  group_name: groupName(state, row.group_id),
  status: vdbStatus(row),
  enabled: row.enabled,
  containerization_state: row.enabled ? "RUNNING_IN_CONTAINER" : "READY_FOR_CONTAINER",
  is_appdata: true,
  is_replica: false,
  recycle_bin: false,
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

export const viewSnapshot = (state: Pick<ApiState, "catalogue" | "engineName">, row: SnapshotRow): Snapshot => ({
  id: row.id,
  name: `@${row.timestamp ?? row.created}`,
  engine_id: engineId(state.catalogue),
  engine_name: state.engineName(),
  dataset_id: row.dataset_id,
  ...datasetNameOf(state, row.dataset_id),
  is_replica: false,
  timezone: "UTC",
  timeflow_id: row.timeflow_id,
  creation_time: row.created,
  ...(row.timestamp === undefined ? {} : { timestamp: row.timestamp, start_timestamp: row.timestamp }),
  ...(row.location === undefined ? {} : { location: row.location }),
  ...(row.consistency === undefined ? {} : { consistency: row.consistency }),
  ...(row.version === undefined ? {} : { version: row.version }),
  temporary: false,
  ...(row.expiration === undefined
    ? {}
    : { expiration: row.expiration, ...(row.retain_forever ? {} : { effective_expiration: row.expiration }) }),
  retain_forever: row.retain_forever,
  effective_retain_forever: row.retain_forever,
  tags: row.tags,
});

const datasetNameOf = ({ catalogue }: Pick<ApiState, "catalogue">, id: string) => {
  const dataset = dSourceById(catalogue, id) ?? vdbById(catalogue, id);
  return dataset === undefined ? {} : { dataset_name: dataset.name };
};

export const viewTimeflow = ({ catalogue }: Pick<ApiState, "catalogue">, row: TimeflowRow): Timeflow => ({
  id: row.id,
  name: `${row.creation_type}@${row.created}`,
  engine_id: engineId(catalogue),
  dataset_id: row.dataset_id,
  creation_type: row.creation_type,
  is_replica: false,
  is_active: isActive(catalogue, row),
  ...(row.snapshot_id === undefined ? {} : { parent_snapshot_id: row.snapshot_id }),
  ...(row.parent_timeflow_id === undefined ? {} : { parent_point_timeflow_id: row.parent_timeflow_id }),
  ...(row.parent_timestamp === undefined ? {} : { parent_point_timestamp: row.parent_timestamp }),
  ...(row.parent_location === undefined ? {} : { parent_point_location: row.parent_location }),
  tags: row.tags,
});

const isActive = (catalogue: ApiState["catalogue"], { id, dataset_id }: TimeflowRow): boolean =>
  (vdbById(catalogue, dataset_id) ?? dSourceById(catalogue, dataset_id))?.timeflow_id === id;

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
    bookmark_source: "ENGINE",
    is_replica: false,
    ...(row.expiration === undefined ? {} : { expiration: row.expiration }),
    retain_forever: row.retain_forever,
    tags: [...row.tags],
  };
}

const localizedTypes: Readonly<Record<JobType, string>> = {
  DB_LINK: "Link a dSource",
  DB_SYNC: "Take a snapshot of a dSource",
  DB_PROVISION: "Provision a VDB",
  DB_SNAPSHOT: "Take a snapshot of a VDB",
  DB_ENABLE: "Enable a VDB",
  DB_DISABLE: "Disable a VDB",
  DB_START: "Start a VDB",
  DB_STOP: "Stop a VDB",
  DB_UPDATE: "Update a VDB",
  DB_REFRESH: "Refresh a VDB",
  DB_ROLLBACK: "Roll back a VDB",
  DB_UNDO_REFRESH: "Undo a refresh of a VDB",
  DB_SWITCH_TIMEFLOW: "Switch the timeflow of a VDB",
  TIMEFLOW_DELETE: "Delete a timeflow",
  BOOKMARK_CREATE: "Create a bookmark",
  BOOKMARK_UPDATE: "Update a bookmark",
  BOOKMARK_DELETE: "Delete a bookmark",
  DB_DELETE: "Delete a VDB",
  DSOURCE_DELETE: "Delete a dSource",
  SNAPSHOT_UPDATE: "Update a snapshot",
  SNAPSHOT_DELETE: "Delete a snapshot",
};

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
    localized_type: localizedTypes[row.type],
    is_waiting_for_telemetry: false,
    engine_ids: [engineId(state.catalogue)],
    engines: [{ engine_id: engineId(state.catalogue), engine_name: state.engineName() }],
    account_id: theAccount.id,
    account_name: theAccount.name,
    tags: row.tags,
    percent_complete: progress?.percentComplete ?? row.percent_complete,
    ...(progress === undefined
      ? {}
      : { tasks: [{ title: progress.task, status: row.status, percent_complete: progress.percentComplete }] }),
    ...((row.status === "FAILED" || row.status === "ABANDONED") && row.failure !== undefined
      ? { error_details: row.failure }
      : {}),
  };
};
