/** Datasets and their points in time. DCT declares almost nothing required, so nearly every field may be missing. */
import { boolean, type Decoded, list, map, number, object, string } from "../decode.ts";
import { decodeTag } from "./places.ts";

const dataset = {
  name: string,
  database_type: string,
  database_version: string,
  engine_id: string,
  engine_name: string,
  group_name: string,
  status: string,
  enabled: boolean,
  content_type: string,
  is_appdata: boolean,
  is_replica: boolean,
  creation_date: string,
  current_timeflow_id: string,
  /** Bytes that this dataset alone holds. */
  storage_size: number,
  /** Bytes a reader sees. */
  size: number,
  exported_data_directory: string,
  /** The embedded engine's: uuid of the pool that the folder lies in. */
  exported_data_pool: string,
  /** Other engines': by which version of NFS they export the folder. */
  nfs_version: number,
  appdata_source_params: map,
  appdata_config_params: map,
  tags: list(decodeTag),
} as const;

export const decodeDSource = object(
  { id: string },
  { ...dataset, source_id: string, plugin_version: string, is_detached: boolean },
);
/** A production database linked to an engine. */
export type DSource = Decoded<typeof decodeDSource>;

export const decodeSource = object(
  { id: string },
  {
    name: string,
    database_type: string,
    database_version: string,
    environment_id: string,
    fqdn: string,
    is_dsource: boolean,
    is_replica: boolean,
    tags: list(decodeTag),
  },
);
/** What a dSource is linked to. */
export type Source = Decoded<typeof decodeSource>;

export const decodeVdb = object(
  { id: string },
  {
    ...dataset,
    description: string,
    database_name: string,
    environment_id: string,
    repository_id: string,
    containerization_state: string,
    parent_id: string,
    parent_dsource_id: string,
    root_parent_id: string,
    previous_timeflow_id: string,
    parent_timeflow_timestamp: string,
    last_refreshed_date: string,
    mount_point: string,
    environment_user_ref: string,
    masked: boolean,
    is_locked: boolean,
    locked_by: number,
    locked_by_name: string,
    vdb_restart: boolean,
    recycle_bin: boolean,
  },
);
/** A virtual database: a thin clone that belongs to somebody. */
export type Vdb = Decoded<typeof decodeVdb>;

export const decodeSnapshot = object(
  { id: string },
  {
    name: string,
    engine_id: string,
    engine_name: string,
    dataset_id: string,
    dataset_name: string,
    timeflow_id: string,
    timestamp: string,
    creation_time: string,
    start_timestamp: string,
    location: string,
    consistency: string,
    version: string,
    expiration: string,
    retain_forever: boolean,
    effective_expiration: string,
    effective_retain_forever: boolean,
    is_replica: boolean,
    timezone: string,
    temporary: boolean,
    tags: list(decodeTag),
  },
);
/** A point in time of a dataset. `timestamp` says how old the data is, `location` is its LSN. */
export type Snapshot = Decoded<typeof decodeSnapshot>;

export const decodeTimeflow = object(
  { id: string },
  {
    name: string,
    engine_id: string,
    dataset_id: string,
    creation_type: string,
    parent_snapshot_id: string,
    parent_point_timeflow_id: string,
    parent_point_timestamp: string,
    parent_point_location: string,
    is_active: boolean,
    is_replica: boolean,
    tags: list(decodeTag),
  },
);
/**
 * A line of a dataset's data. A VDB has one that is current, and keeps those that a refresh or a rollback has replaced.
 * `creation_type` (INITIAL, REFRESH, ROLLBACK, …) and `parent_snapshot_id` tell what it began with.
 */
export type Timeflow = Decoded<typeof decodeTimeflow>;

const bookmarked = { snapshot_id: string, timeflow_id: string, data_timestamp: string };

export const decodeBookmark = object(
  { id: string },
  {
    name: string,
    creation_date: string,
    data_timestamp: string,
    vdb_ids: list(string),
    dsource_ids: list(string),
    bookmark_status: string,
    bookmark_type: string,
    bookmark_source: string,
    is_replica: boolean,
    expiration: string,
    retain_forever: boolean,
    vdbs: list(object({}, { vdb_id: string, vdb_name: string, ...bookmarked })),
    dsources: list(object({}, { dsource_id: string, dsource_name: string, ...bookmarked })),
    tags: list(decodeTag),
  },
);
/** A name that somebody gave to a point in time of one or more datasets. */
export type Bookmark = Decoded<typeof decodeBookmark>;
