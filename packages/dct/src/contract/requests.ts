/** Bodies of the calls that start something, as far as this project sends them. Field names are those of the wire. */
import type { Tag } from "./places.ts";

export interface ProvisionBySnapshotParameters {
  /** The dSource or VDB to clone; taken from the snapshot when left out. */
  readonly source_data_id?: string;
  /** Left out: the latest of the source; of a VDB the embedded engine takes one of its data as of now. */
  readonly snapshot_id?: string;
  /** Unique within the group. */
  readonly name?: string;
  readonly database_name?: string;
  /** Left out: DCT picks any group of the engine. Always send it. */
  readonly target_group_id?: string;
  readonly engine_id?: string;
  readonly environment_id?: string;
  readonly repository_id?: string;
  readonly mount_point?: string;
  readonly masked?: boolean;
  /**
   * Keys known to be understood: `mount_location`, and by the embedded engine `ownership_spec` ("uid:gid" of the data).
   */
  readonly appdata_source_params?: Readonly<Record<string, unknown>>;
  readonly appdata_config_params?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly Tag[];
}

export interface LinkAppDataParameters {
  readonly name: string;
  readonly group_id: string;
  /** The vendor's connectors need a source and an environment user; the embedded engine needs neither. */
  readonly source_id?: string;
  readonly environment_user?: string;
  /** The connector's own parameters; for the embedded engine: see its README. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly sync_parameters?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly Tag[];
}

/** Of refreshes and rollbacks. */
export interface SnapshotPoint {
  /** Left out: the latest; of a refresh the parent's, of a rollback the VDB's own. */
  readonly snapshot_id?: string;
}

export interface TimestampPoint {
  /** RFC 3339; left out: the latest. The embedded engine takes the newest snapshot that is not newer. */
  readonly timestamp?: string;
  readonly timeflow_id?: string;
}

export interface RefreshByTimestampParameters extends TimestampPoint {
  /** Excludes timeflow_id. */
  readonly dataset_id?: string;
}

export interface BookmarkPoint {
  readonly bookmark_id: string;
}

export interface CreateBookmarkParameters {
  readonly name: string;
  /** One snapshot of each, as of now. Excludes snapshot_ids. */
  readonly vdb_ids?: readonly string[];
  readonly snapshot_ids?: readonly string[];
  readonly bookmark_type?: "PUBLIC" | "PRIVATE";
  readonly tags?: readonly Tag[];
}
