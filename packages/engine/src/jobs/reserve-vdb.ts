import type { Tag } from "@vdb/dct";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { allVdbs, dSourceById, latestSnapshot, readySnapshot, snapshotById, vdbById } from "../catalogue/datasets.ts";
import { allEnvironments, allGroups, newId } from "../catalogue/places.ts";
import type { EnvironmentRow, GroupRow, SnapshotRow, VdbRow } from "../catalogue/rows.ts";
import { insertTimeflow } from "../catalogue/timeflows.ts";
import { badRequest, conflict, notFound } from "../refusal.ts";
import { readyVdb } from "./require-vdb.ts";
import { requireDataset, reserveSnapshot } from "./reserve-snapshot.ts";

/** A VDB as a request describes it. One of `snapshot_id` and `source_data_id` has to be there. */
export interface WantedVdb {
  readonly source_data_id?: string | undefined;
  readonly snapshot_id?: string | undefined;
  readonly name?: string | undefined;
  readonly database_name?: string | undefined;
  readonly target_group_id?: string | undefined;
  readonly environment_id?: string | undefined;
  readonly repository_id?: string | undefined;
  readonly mount_point?: string | undefined;
  readonly appdata_source_params?: Readonly<Record<string, unknown>> | undefined;
  readonly appdata_config_params?: Readonly<Record<string, unknown>> | undefined;
  readonly tags?: readonly Tag[] | undefined;
  /** uid:gid of the data. */
  readonly owner: string;
}

/** Records a VDB and its first timeflow in state `creating`; where no snapshot is named, a dSource's latest, or one that is to be taken of a VDB. */
export function reserveVdb(catalogue: Catalogue, wanted: WantedVdb): VdbRow {
  const snapshot = snapshotFor(catalogue, wanted);
  const group = groupFor(catalogue, wanted);
  const environment = environmentFor(catalogue, wanted);
  const id = newId(catalogue, "APPDATA_CONTAINER");
  const name = wanted.name ?? `VDB_${id}`;
  const namesake = allVdbs(catalogue).find((one) => one.name === name && one.group_id === group.id);
  if (namesake !== undefined) throw conflict(`a VDB ${name} already exists in group ${group.name}: ${namesake.id}`);
  catalogue.run(
    `INSERT INTO vdb (id, name, group_id, environment_id, state, enabled, parent_id, parent_dsource_id, database_name, owner, mount_point,
       source_params, config_params, tags, timeflow_id, created)
     VALUES (?, ?, ?, ?, 'creating', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    name,
    group.id,
    environment.id,
    snapshot.dataset_id,
    rootOf(catalogue, snapshot),
    wanted.database_name ?? name,
    wanted.owner,
    wanted.mount_point ?? null,
    JSON.stringify(wanted.appdata_source_params ?? {}),
    JSON.stringify(wanted.appdata_config_params ?? {}),
    JSON.stringify(wanted.tags ?? []),
    insertTimeflow(catalogue, { datasetId: id, type: "INITIAL", state: "creating", from: snapshot }),
    new Date().toISOString(),
  );
  const vdb = vdbById(catalogue, id);
  if (vdb === undefined) throw new Error(`the catalogue does not contain VDB ${id} after its insert`);
  return vdb;
}

function snapshotFor(catalogue: Catalogue, { snapshot_id, source_data_id }: WantedVdb): SnapshotRow {
  if (snapshot_id !== undefined) {
    const snapshot = readySnapshot(catalogue, snapshot_id);
    if (snapshot === undefined) throw notFound("snapshot", snapshot_id);
    requireDataset(catalogue, snapshot);
    if (source_data_id !== undefined && snapshot.dataset_id !== source_data_id) {
      throw badRequest(`snapshot ${snapshot_id} belongs to ${snapshot.dataset_id}, not to ${source_data_id}`);
    }
    return snapshot;
  }
  if (source_data_id === undefined) throw badRequest("body: must contain snapshot_id or source_data_id");
  if (vdbById(catalogue, source_data_id) !== undefined) return snapshotToTake(catalogue, source_data_id);
  const dSource = dSourceById(catalogue, source_data_id);
  if (dSource === undefined) throw notFound("dSource or VDB", source_data_id);
  const latest = latestSnapshot(catalogue, source_data_id);
  if (latest === undefined) throw conflict(`${dSource.name} has no snapshot yet: take one first`);
  requireDataset(catalogue, latest);
  return latest;
}

/** A VDB as source means its data as it is now: the job begins with a snapshot of it. */
function snapshotToTake(catalogue: Catalogue, vdbId: string): SnapshotRow {
  const vdb = readyVdb(catalogue, vdbId);
  const id = reserveSnapshot(catalogue, { dataset: vdb, kind: "VDB", madeBy: "provision" });
  const snapshot = snapshotById(catalogue, id);
  if (snapshot === undefined) throw new Error(`the catalogue does not contain snapshot ${id} after its insert`);
  return { ...snapshot, ...(vdb.database_version === undefined ? {} : { version: vdb.database_version }) };
}

function groupFor(catalogue: Catalogue, { target_group_id }: WantedVdb): GroupRow {
  const all = allGroups(catalogue);
  const group = target_group_id === undefined ? all[0] : all.find(({ id }) => id === target_group_id);
  if (group === undefined) throw badRequest(`target_group_id: there is no dataset group ${target_group_id}`);
  return group;
}

/** The repository decides the environment where both are named. */
function environmentFor(catalogue: Catalogue, { repository_id, environment_id }: WantedVdb): EnvironmentRow {
  const all = allEnvironments(catalogue);
  if (repository_id !== undefined) {
    const environment = all.find((one) => one.repository_id === repository_id);
    if (environment === undefined) throw badRequest(`repository_id: there is no repository ${repository_id}`);
    return environment;
  }
  const environment = environment_id === undefined ? all[0] : all.find(({ id }) => id === environment_id);
  if (environment === undefined) throw badRequest(`environment_id: there is no environment ${environment_id}`);
  return environment;
}

/** The dSource at the root of a snapshot's family. */
function rootOf(catalogue: Catalogue, snapshot: SnapshotRow): string {
  return snapshot.dataset_kind === "dSource"
    ? snapshot.dataset_id
    : (vdbById(catalogue, snapshot.dataset_id)?.parent_dsource_id ?? snapshot.dataset_id);
}
