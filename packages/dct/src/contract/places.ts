/** Where datasets live: engines, the environments they know, and dataset groups. Field names are those of the wire. */
import { boolean, type Decoded, list, number, object, string } from "../decode.ts";

export const decodeTag = object({ key: string, value: string }, {});
export type Tag = Decoded<typeof decodeTag>;

export const decodeEngine = object(
  { id: string, name: string },
  {
    uuid: string,
    type: string,
    version: string,
    hostname: string,
    status: string,
    connection_status: string,
    engine_connection_status: string,
    /** Bytes. */
    data_storage_capacity: number,
    data_storage_used: number,
    /** The embedded engine's: bytes of the capacity that it gives to databases that run, and to nothing else. */
    data_storage_reserve: number,
    insecure_ssl: boolean,
    tags: list(decodeTag),
  },
);
/** A registered engine. `hostname` is what users often write as the engine's name. */
export type Engine = Decoded<typeof decodeEngine>;

export const decodeHost = object(
  { hostname: string },
  { id: string, os_name: string, available: boolean, nfs_addresses: list(string) },
);
/** A machine of an environment. For the embedded engine `hostname` is the name of the Kubernetes node that holds the data. */
export type Host = Decoded<typeof decodeHost>;

export const decodeRepository = object(
  { id: string, name: string },
  { database_type: string, version: string, allow_provisioning: boolean, is_staging: boolean },
);
export type Repository = Decoded<typeof decodeRepository>;

export const decodeEnvironmentUser = object({ user_ref: string }, { username: string, primary_user: boolean, auth_type: string });
export type EnvironmentUser = Decoded<typeof decodeEnvironmentUser>;

export const decodeEnvironment = object(
  { id: string, name: string },
  {
    engine_id: string,
    engine_name: string,
    enabled: boolean,
    is_cluster: boolean,
    is_replica: boolean,
    is_windows_target: boolean,
    os_type: string,
    address: string,
    hosts: list(decodeHost),
    repositories: list(decodeRepository),
    env_users: list(decodeEnvironmentUser),
    tags: list(decodeTag),
  },
);
export type Environment = Decoded<typeof decodeEnvironment>;

export const decodeGroup = object({ id: string, name: string }, { engine_id: string, engine_name: string, is_replica: boolean });
/** A folder of datasets on one engine: what a PostgresVDB calls `vdbGroupName`. */
export type DatasetGroup = Decoded<typeof decodeGroup>;
