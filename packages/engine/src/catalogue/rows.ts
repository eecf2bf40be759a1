/** The catalogue's rows, decoded. SQLite has neither booleans nor lists: 0/1 and JSON stand for them. */
import { type Decoded, type Decoder, decodeTag, list, map, number, object, string } from "@vdb/dct";
import { syncs } from "../link/sync.ts";

/** A JSON text column. */
export const json =
  <T>(decode: Decoder<T>): Decoder<T> =>
  (value, at) =>
    decode(JSON.parse(string(value, at)), at);
const flag: Decoder<boolean> = (value, at) => number(value, at) !== 0;
const oneOf =
  <const T extends string>(...words: readonly T[]): Decoder<T> =>
  (value, at) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new TypeError(`${at}: ${String(value)} is none of ${words.join(", ")}`);
    return found;
  };
/** A column of tags. */
export const tags = json(list(decodeTag));

export const decodeGroupRow = object({ id: string, name: string }, {});
export type GroupRow = Decoded<typeof decodeGroupRow>;

export const decodeEnvironmentRow = object(
  { id: string, name: string, repository_id: string, repository_name: string, tags },
  {},
);
export type EnvironmentRow = Decoded<typeof decodeEnvironmentRow>;

const secretRef = object({ name: string, key: string }, {});

/** How to reach a source. A password stands here only where the API gave it; else `passwordSecret` says where it lies. */
const decodeConnection = object(
  { host: string, port: number, user: string, sslmode: string },
  { database: string, password: string, passwordSecret: secretRef, sslRootCertSecret: secretRef, sync: oneOf(...syncs) },
);
export type Connection = Decoded<typeof decodeConnection>;

/** Of a dSource that is linked to nothing: its snapshots are empty folders, and its VDBs hold whatever runs on them. */
export interface NoConnection {
  readonly empty: true;
}
export type DSourceConnection = Connection | NoConnection;
const yes: Decoder<true> = (value, at) => {
  if (value !== true) throw new TypeError(`${at}: must be true`);
  return value;
};
const decodeNoConnection: Decoder<NoConnection> = object({ empty: yes }, {});
export const isEmptySource = (connection: DSourceConnection): connection is NoConnection => "empty" in connection;
const decodeDSourceConnection: Decoder<DSourceConnection> = (value, at) =>
  "empty" in map(value, at) ? decodeNoConnection(value, at) : decodeConnection(value, at);

export const decodeDSourceRow = object(
  {
    id: string,
    name: string,
    group_id: string,
    declared: flag,
    state: oneOf("linking", "linked", "deleting"),
    connection: json(decodeDSourceConnection),
    tags,
    source_tags: tags,
    timeflow_id: string,
    created: string,
  },
  { last_error: string },
);
export type DSourceRow = Decoded<typeof decodeDSourceRow>;

const lifeState = oneOf("creating", "ready", "deleting");

/** With what its current timeflow began with; without its parameters, which may be large: see vdb-params.ts. */
export const decodeVdbRow = object(
  {
    id: string,
    name: string,
    group_id: string,
    environment_id: string,
    state: lifeState,
    enabled: flag,
    snapshot_id: string,
    parent_id: string,
    parent_dsource_id: string,
    database_name: string,
    owner: string,
    tags,
    timeflow_id: string,
    created: string,
  },
  {
    parent_timestamp: string,
    database_version: string,
    mount_point: string,
    previous_timeflow_id: string,
    last_refreshed: string,
    description: string,
    locked_by: number,
  },
);
export type VdbRow = Decoded<typeof decodeVdbRow>;

export const decodeTimeflowRow = object(
  {
    id: string,
    dataset_id: string,
    creation_type: oneOf("INITIAL", "REFRESH", "ROLLBACK"),
    state: lifeState,
    tags,
    created: string,
  },
  { snapshot_id: string, parent_timeflow_id: string, parent_timestamp: string, parent_location: string, version: string },
);
export type TimeflowRow = Decoded<typeof decodeTimeflowRow>;

export const decodeBookmarkRow = object(
  {
    id: string,
    name: string,
    bookmark_type: oneOf("PUBLIC", "PRIVATE"),
    state: lifeState,
    tags,
    retain_forever: flag,
    created: string,
  },
  { expiration: string },
);
export type BookmarkRow = Decoded<typeof decodeBookmarkRow>;

export const decodeSnapshotRow = object(
  {
    id: string,
    dataset_id: string,
    dataset_kind: oneOf("dSource", "VDB"),
    state: lifeState,
    made_by: oneOf("link", "request", "interval", "provision", "refresh", "bookmark"),
    timeflow_id: string,
    owner: string,
    tags,
    retain_forever: flag,
    created: string,
  },
  { timestamp: string, location: string, consistency: string, version: string, expiration: string },
);
export type SnapshotRow = Decoded<typeof decodeSnapshotRow>;

export const jobTypes = [
  "DB_LINK",
  "DB_SYNC",
  "DB_PROVISION",
  "DB_SNAPSHOT",
  "DB_ENABLE",
  "DB_DISABLE",
  "DB_START",
  "DB_STOP",
  "DB_UPDATE",
  "DB_REFRESH",
  "DB_ROLLBACK",
  "DB_UNDO_REFRESH",
  "DB_SWITCH_TIMEFLOW",
  "TIMEFLOW_DELETE",
  "BOOKMARK_CREATE",
  "BOOKMARK_UPDATE",
  "BOOKMARK_DELETE",
  "DB_DELETE",
  "DSOURCE_DELETE",
  "SNAPSHOT_UPDATE",
  "SNAPSHOT_DELETE",
] as const;
export type JobType = (typeof jobTypes)[number];

export const decodeJobRow = object(
  {
    sequence: number,
    id: string,
    type: oneOf(...jobTypes),
    status: oneOf("PENDING", "STARTED", "COMPLETED", "FAILED", "ABANDONED"),
    target_id: string,
    target_name: string,
    parameters: json(map),
    percent_complete: number,
    tags,
    abandoned: flag,
    created: string,
    updated: string,
  },
  { failure: string, task: string, copying_since: string },
);
export type JobRow = Decoded<typeof decodeJobRow>;
