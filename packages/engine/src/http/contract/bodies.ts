/** The bodies of the operations that are served, field by field. */
import { boolean, DecodeError, type Decoder, map, string } from "@vdb/dct";
import { date, dateTime, folder, freeForm, id, ids, location, name, tags, tagText, text, wholeNumber } from "../../text-rules.ts";
import { type BodyRules, each, ignored, refused, required, served } from "./rules.ts";

const oneWordOf =
  <const T extends string>(...words: readonly T[]): Decoder<T> =>
  (value, at) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new DecodeError(at, `must be ${words.join(" or ")}`);
    return found;
  };

const otherDatabases = refused("it belongs to Oracle, SQL Server or SAP ASE; this engine serves PostgreSQL");
const noHooks = refused("this engine runs no hooks; declare them in spec.hooks of the PostgresVDB");
const noPolicies = refused("this engine has no policies; set interval and keep of a dSource in the engine's configuration");
const settingsElsewhere = refused("this engine starts no server; declare settings in the PostgresVDB");
const onItsOwn = refused("this engine deletes one dataset with each request");
const oneAccount = ignored(boolean, "there is one API key, and it may do everything");

/** What all ways to provision share. */
export const vdbFields = {
  name: served(name),
  database_name: served(name),
  target_group_id: served(id),
  environment_id: served(id),
  repository_id: served(id),
  mount_point: served(folder),
  appdata_source_params: served(freeForm),
  appdata_config_params: served(freeForm),
  tags: served(tags),

  auto_select_repository: ignored(boolean, "an environment has one repository"),
  make_current_account_owner: oneAccount,
  vdb_restart: ignored(boolean, "Kubernetes starts a pod again"),
  cache_priority: ignored(string, "the engine has no cache of its own"),
  container_mode: ignored(boolean, "every VDB here is for a container"),

  ...each(
    [
      "pre_refresh",
      "post_refresh",
      "pre_self_refresh",
      "post_self_refresh",
      "pre_rollback",
      "post_rollback",
      "configure_clone",
      "pre_snapshot",
      "post_snapshot",
      "pre_start",
      "post_start",
      "pre_stop",
      "post_stop",
      "pre_script",
      "post_script",
      "custom_env_vars",
      "custom_env_files",
    ],
    noHooks,
  ),
  ...each(["snapshot_policy_id", "retention_policy_id", "template_id"], noPolicies),
  ...each(["config_params", "config_settings_stg", "postgres_port"], settingsElsewhere),
  environment_user_id: ignored(id, "an environment has one user"),
  ...each(
    ["os_username", "os_password", "privileged_os_user"],
    refused("this engine runs no process as a user of a host; set the owner of the data in appdata_source_params.ownership_spec"),
  ),
  additional_mount_points: refused("a VDB has one folder"),
  masked: refused("this engine does not store it; use tags"),
  ...each(
    [
      "archive_log",
      "auxiliary_template_id",
      "cdb_id",
      "cdb_tde_keystore_password",
      "cdc_on_provision",
      "cluster_node_ids",
      "cluster_node_instances",
      "file_mapping_rules",
      "listener_ids",
      "mssql_failover_drive_letter",
      "new_dbid",
      "online_log_groups",
      "online_log_size",
      "open_reset_logs",
      "oracle_instance_name",
      "oracle_rac_custom_env_files",
      "oracle_rac_custom_env_vars",
      "parentTdeKeystorePath",
      "parent_tde_keystore_password",
      "recovery_model",
      "target_vcdb_tde_keystore_path",
      "tde_exported_key_file_secret",
      "tde_key_identifier",
      "truncate_log_on_checkpoint",
      "unique_name",
      "vcdb_database_name",
      "vcdb_name",
      "vcdb_restart",
      "vcdb_tde_key_identifier",
    ],
    otherDatabases,
  ),
} satisfies BodyRules;

const noZone = refused("the engine does not know the database's time zone; send timestamp, with its offset");
const sameEngine = ignored(id, "the source or the snapshot decides the engine");

const bySnapshot = { source_data_id: served(id), engine_id: sameEngine, snapshot_id: served(id) } satisfies BodyRules;
const byTimestamp = {
  timestamp: served(dateTime),
  timestamp_in_database_timezone: noZone,
  engine_id: sameEngine,
  source_data_id: required(id),
  timeflow_id: served(id),
} satisfies BodyRules;
const byLocation = {
  source_data_id: served(id),
  engine_id: sameEngine,
  location: served(location),
  timeflow_id: served(id),
} satisfies BodyRules;
export const bookmarkPointBody = { bookmark_id: required(id) } satisfies BodyRules;

/** The point in time that each way to provision begins with; its `…/defaults` takes just that. */
export const pointBodies = { bySnapshot, byTimestamp, byLocation, fromBookmark: bookmarkPointBody } as const;

export const provisionBodies = {
  bySnapshot: { ...vdbFields, ...bySnapshot },
  byTimestamp: { ...vdbFields, ...byTimestamp },
  byLocation: { ...vdbFields, ...byLocation },
  fromBookmark: { ...vdbFields, ...bookmarkPointBody },
} as const;

const oneEnvironment = { environment_id: served(id) } satisfies BodyRules;
export const compatibleBodies = {
  bySnapshot: { ...bySnapshot, ...oneEnvironment },
  byTimestamp: {
    source_data_id: served(id),
    engine_id: sameEngine,
    timestamp: served(dateTime),
    timeflow_id: served(id),
    ...oneEnvironment,
  },
  byLocation: { ...byLocation, ...oneEnvironment },
  fromBookmark: { ...bookmarkPointBody, ...oneEnvironment },
} as const;

export const linkBody = {
  name: required(name),
  group_id: required(id),
  // Decoded by itself, exactly: see connection-fields.ts.
  parameters: required(map),
  tags: served(tags),

  source_id: ignored(id, "parameters name the source"),
  environment_user: ignored(id, "nothing runs on the source's machine"),
  link_type: ignored(oneWordOf("AppDataDirect", "AppDataStaged"), "there is one way to link"),
  make_current_account_owner: oneAccount,

  sync_parameters: refused("a snapshot of this engine takes no parameters"),
  description: refused("this engine stores no description; use tags"),
  log_sync_enabled: refused("this engine takes snapshots only"),
  ...each(["ops_pre_sync", "ops_post_sync"], refused("this engine runs no hooks")),
  ...each(
    ["staging_mount_base", "staging_environment", "staging_environment_user"],
    refused("the engine itself holds the copy: there is no staging environment"),
  ),
  ...each(["excludes", "follow_symlinks"], refused("a base backup copies the whole server")),
} satisfies BodyRules;

export const deleteDSourceBody = {
  dsource_id: required(id),
  force: served(boolean),
  delete_all_dependent_vdbs: onItsOwn,
  ...each(["oracle_username", "oracle_password"], otherDatabases),
} satisfies BodyRules;

export const snapshotDSourceBody = {
  ...each(["appdata_parameters", "skip_space_check"], refused("a snapshot of this engine takes no parameters")),
  ...each(
    [
      "ase_backup_files",
      "availability_group_backup_policy",
      "compression_enabled",
      "do_not_resume",
      "double_sync",
      "drop_and_recreate_devices",
      "files_for_partial_full_backup",
      "force_full_backup",
      "mssql_backup_uuid",
      "sync_strategy",
    ],
    otherDatabases,
  ),
} satisfies BodyRules;

export const deleteVdbBody = {
  force: ignored(boolean, "the engine asks no machine when it deletes, so there is no failure to go on after"),
  delete_all_dependent_vdbs: onItsOwn,
  move_to_recycle_bin: refused("this engine has no recycle bin"),
} satisfies BodyRules;

export const enableVdbBody = {
  attempt_start: ignored(boolean, "the pod starts the server, not the engine"),
  container_mode: ignored(boolean, "every VDB here is for a container"),
  ownership_spec: refused("the owner of the data is set when the VDB is provisioned, by appdata_source_params.ownership_spec"),
} satisfies BodyRules;

export const disableVdbBody = {
  attempt_cleanup: ignored(boolean, "the pod stops the server, not the engine"),
  container_mode: ignored(boolean, "every VDB here is for a container"),
} satisfies BodyRules;

export const snapshotPointBody = { snapshot_id: served(id) } satisfies BodyRules;

export const refreshTimestampBody = {
  timestamp: served(dateTime),
  timestamp_in_database_timezone: noZone,
  timeflow_id: served(id),
  dataset_id: served(id),
} satisfies BodyRules;

export const refreshLocationBody = {
  location: served(location),
  timeflow_id: served(id),
  dataset_id: served(id),
} satisfies BodyRules;

export const rollbackTimestampBody = {
  timestamp: served(dateTime),
  timestamp_in_database_timezone: noZone,
  timeflow_id: served(id),
} satisfies BodyRules;

export const switchTimeflowBody = { timeflow_id: required(id) } satisfies BodyRules;

export const bookmarkBody = {
  name: required(name),
  vdb_ids: served(ids),
  snapshot_ids: served(ids),
  bookmark_type: served(oneWordOf("PUBLIC", "PRIVATE")),
  tags: served(tags),

  expiration: served(date),
  retain_forever: served(boolean),

  make_current_account_owner: oneAccount,

  retention: refused("send expiration, the last day"),
  ...each(
    ["timestamp", "timestamp_in_database_timezone", "location", "timeflow_ids"],
    refused("a bookmark names snapshots: send vdb_ids or snapshot_ids"),
  ),
  vdb_group_id: refused("this engine has no VDB groups; send vdb_ids"),
  ...each(["inherit_parent_vdb_tags", "inherit_parent_tags"], refused("a bookmark has the tags that the request names")),
} satisfies BodyRules;

export const updateBookmarkBody = {
  name: served(name),
  expiration: served(date),
  retain_forever: served(boolean),
  // Of newer versions of the document.
  bookmark_type: refused("a bookmark's type is set when it is made"),
} satisfies BodyRules;

export const updateSnapshotBody = { expiration: served(date), retain_forever: served(boolean) } satisfies BodyRules;

export const updateVdbBody = {
  name: served(name),
  description: served(text(1024)),
  mount_point: served(folder),
  appdata_source_params: served(freeForm),
  appdata_config_params: served(freeForm),

  auto_restart: ignored(boolean, "Kubernetes starts a pod again"),
  validate_db_credentials: ignored(boolean, "the engine has no credentials of a database"),
  cache_priority: ignored(string, "the engine has no cache of its own"),
  environment_user_id: ignored(id, "an environment has one user"),

  ...each(["hooks", "pre_script", "post_script", "custom_env_vars", "custom_env_files"], noHooks),
  template_id: noPolicies,
  config_params: settingsElsewhere,
  ...each(["db_username", "db_password"], refused("the engine does not connect to a VDB; set passwords in the PostgresVDB")),
  additional_mount_points: refused("a VDB has one folder"),
  ...each(
    [
      "cdb_tde_keystore_password",
      "cdc_on_provision",
      "listener_ids",
      "new_dbid",
      "oracle_rac_custom_env_files",
      "oracle_rac_custom_env_vars",
      "parent_tde_keystore_password",
      "parent_tde_keystore_path",
      "target_vcdb_tde_keystore_path",
      "tde_key_identifier",
    ],
    otherDatabases,
  ),
} satisfies BodyRules;

export const lockBody = { account_id: served(wholeNumber) } satisfies BodyRules;

export const startBody = { instances: otherDatabases } satisfies BodyRules;

export const stopBody = { instances: otherDatabases, abort: otherDatabases } satisfies BodyRules;

export const tagsBody = { tags: required(tags) } satisfies BodyRules;

export const deleteTagsBody = { key: served(tagText), value: served(tagText), tags: served(tags) } satisfies BodyRules;

export const deleteSnapshotBody = { delete_all_dependencies: onItsOwn } satisfies BodyRules;

export const searchBody = { filter_expression: served(string) } satisfies BodyRules;
