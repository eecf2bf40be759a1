import type { Catalogue } from "../../catalogue/catalogue.ts";
import { allVdbs, dSourceById, latestSnapshot, readySnapshot, vdbById } from "../../catalogue/datasets.ts";
import { allEnvironments, allGroups, newId } from "../../catalogue/places.ts";
import { requireDataset, reserveForProvision } from "../../catalogue/requests.ts";
import { decodeSnapshotRow, type EnvironmentRow, type GroupRow, type SnapshotRow, type VdbRow } from "../../catalogue/rows.ts";
import { submitJob } from "../../jobs/submit.ts";
import { dataOwnerSpec } from "../../link/owner.ts";
import { badRequest, conflict, notFound, shown } from "../api-error.ts";
import { provisionBody } from "../contract/bodies.ts";
import type { BodyOf } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import type { ApiState } from "../state.ts";
import { viewJob } from "../views.ts";

type Wanted = BodyOf<typeof provisionBody>;

/** A VDB from a snapshot; where none is named, a dSource's latest, or one that is taken of a VDB. The name is reserved together with the job: the same request a second time is a conflict, no second VDB. */
export const provisionRoute = (state: ApiState): Route =>
  acting({ path: "/vdbs/provision_by_snapshot", body: provisionBody }, (wanted) => {
    const { catalogue, runner } = state;
    const { job, id } = catalogue.transaction(() => {
      const vdb = reserve(state, wanted);
      const parameters = { snapshotId: reserveForProvision(catalogue, vdb) };
      const holds = [vdb.snapshot_id];
      const target = { targetId: vdb.id, targetName: vdb.name };
      return { id: vdb.id, job: submitJob(catalogue, { type: "DB_PROVISION", ...target, parameters, holds }) };
    });
    runner.wake();
    return ok({ job: viewJob(state, job), vdb_id: id });
  });

function reserve(state: ApiState, wanted: Wanted): VdbRow {
  const { catalogue } = state;
  const snapshot = snapshotFor(state, wanted);
  const group = groupFor(state, wanted);
  const environment = environmentFor(state, wanted);
  const owner = ownerOf(wanted);
  const id = newId(catalogue, "APPDATA_CONTAINER");
  const name = wanted.name ?? `VDB_${id}`;
  const namesake = allVdbs(catalogue).find((one) => one.name === name && one.group_id === group.id);
  if (namesake !== undefined) throw conflict(`a VDB ${name} already exists in group ${group.name}: ${namesake.id}`);
  catalogue.run(
    `INSERT INTO vdb (id, name, group_id, environment_id, state, enabled, snapshot_id, parent_id, parent_dsource_id, parent_timestamp,
       database_name, database_version, owner, mount_point, source_params, config_params, tags, timeflow_id, created)
     VALUES (?, ?, ?, ?, 'creating', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    name,
    group.id,
    environment.id,
    snapshot.id,
    snapshot.dataset_id,
    rootOf(state, snapshot),
    snapshot.timestamp ?? null,
    wanted.database_name ?? name,
    snapshot.version ?? null,
    owner,
    wanted.mount_point ?? null,
    JSON.stringify(wanted.appdata_source_params ?? {}),
    JSON.stringify(wanted.appdata_config_params ?? {}),
    JSON.stringify(wanted.tags ?? []),
    newId(catalogue, "APPDATA_TIMEFLOW"),
    new Date().toISOString(),
  );
  const vdb = vdbById(catalogue, id);
  if (vdb === undefined) throw new Error(`the catalogue does not contain VDB ${id} after its insert`);
  return vdb;
}

function snapshotFor({ catalogue }: ApiState, { snapshot_id, source_data_id }: Wanted): SnapshotRow {
  if (snapshot_id === undefined && source_data_id === undefined)
    throw badRequest("body: must contain snapshot_id or source_data_id");
  if (snapshot_id !== undefined) {
    const snapshot = readySnapshot(catalogue, snapshot_id);
    if (snapshot === undefined) throw notFound("snapshot", snapshot_id);
    requireDataset(catalogue, snapshot);
    if (source_data_id !== undefined && snapshot.dataset_id !== source_data_id) {
      throw badRequest(`snapshot ${snapshot_id} belongs to ${snapshot.dataset_id}, not to ${source_data_id}`);
    }
    return snapshot;
  }
  const source = source_data_id ?? "";
  const vdb = vdbById(catalogue, source);
  if (vdb !== undefined) return snapshotToTake(catalogue, vdb);
  const dSource = dSourceById(catalogue, source);
  if (dSource === undefined) throw notFound("dSource or VDB", source);
  const latest = latestSnapshot(catalogue, source);
  if (latest === undefined) throw conflict(`${dSource.name} has no snapshot yet: take one first`);
  requireDataset(catalogue, latest);
  return latest;
}

/** A VDB as source means its data as it is now: the job begins with a snapshot of it. */
function snapshotToTake(catalogue: Catalogue, vdb: VdbRow): SnapshotRow {
  if (vdb.state !== "ready") throw conflict(`VDB ${vdb.name} is being ${vdb.state === "creating" ? "provisioned" : "deleted"}`);
  const id = reserveForProvision(catalogue, vdb);
  const snapshot = catalogue.one(decodeSnapshotRow, "SELECT * FROM snapshot WHERE id = ?", id);
  if (snapshot === undefined) throw new Error(`the catalogue does not contain snapshot ${id} after its insert`);
  return { ...snapshot, ...(vdb.database_version === undefined ? {} : { version: vdb.database_version }) };
}

function groupFor({ catalogue }: ApiState, { target_group_id }: Wanted): GroupRow {
  const all = allGroups(catalogue);
  const group = target_group_id === undefined ? all[0] : all.find(({ id }) => id === target_group_id);
  if (group === undefined) throw badRequest(`target_group_id: there is no dataset group ${target_group_id}`);
  return group;
}

/** The repository decides the environment where both are named. */
function environmentFor({ catalogue }: ApiState, { repository_id, environment_id }: Wanted): EnvironmentRow {
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

/** `appdata_source_params.ownership_spec`, "uid:gid": whom the data shall belong to. */
function ownerOf({ appdata_source_params }: Wanted): string {
  const spec = appdata_source_params?.["ownership_spec"] ?? dataOwnerSpec;
  const [, uid = "", gid = ""] = typeof spec === "string" ? (/^(\d{1,10}):(\d{1,10})$/u.exec(spec) ?? []) : [];
  // 2^32 - 1 stands for "leave as it is" in chown(2).
  if (uid === "" || Number(uid) >= 2 ** 32 - 1 || Number(gid) >= 2 ** 32 - 1)
    throw badRequest(`appdata_source_params.ownership_spec: must be "uid:gid", not ${shown(JSON.stringify(spec))}`);
  return `${Number(uid)}:${Number(gid)}`;
}

/** The dSource at the root of a snapshot's family. */
function rootOf({ catalogue }: ApiState, snapshot: SnapshotRow): string {
  return snapshot.dataset_kind === "dSource"
    ? snapshot.dataset_id
    : (vdbById(catalogue, snapshot.dataset_id)?.parent_dsource_id ?? snapshot.dataset_id);
}
