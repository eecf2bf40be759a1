/** What a request changes in the catalogue: the reservation and its job, in one transaction. The runner does the rest. */
import type { Tag } from "@vdb/dct";
import { submitJob, unfinishedJob, unfinishedJobs } from "../jobs/submit.ts";
import { dataOwnerSpec } from "../link/owner.ts";
import type { Catalogue } from "./catalogue.ts";
import { newId } from "./places.ts";
import type { Connection, DSourceRow, JobRow, SnapshotRow, VdbRow } from "./rows.ts";

type MadeBy = SnapshotRow["made_by"];

/** Reserves a snapshot and submits the job that takes it. */
export function requestSourceSnapshot(catalogue: Catalogue, source: DSourceRow, madeBy: MadeBy): JobRow {
  return catalogue.transaction(() => {
    const snapshotId = reserveSnapshot(catalogue, { ...source, kind: "dSource", owner: dataOwnerSpec, version: null }, madeBy);
    const type = source.state === "linking" ? "DB_LINK" : "DB_SYNC";
    return submitJob(catalogue, { type, targetId: source.id, targetName: source.name, parameters: { snapshotId } });
  });
}

export function requestVdbSnapshot(catalogue: Catalogue, vdb: VdbRow): JobRow {
  return catalogue.transaction(() => {
    const snapshotId = reserveSnapshot(catalogue, { ...vdb, kind: "VDB", version: vdb.database_version ?? null }, "request");
    return submitJob(catalogue, { type: "DB_SNAPSHOT", targetId: vdb.id, targetName: vdb.name, parameters: { snapshotId } });
  });
}

interface Snapshotted {
  readonly id: string;
  readonly kind: SnapshotRow["dataset_kind"];
  readonly timeflow_id: string;
  readonly owner: string;
  readonly version: string | null;
}

function reserveSnapshot(catalogue: Catalogue, of: Snapshotted, madeBy: MadeBy): string {
  const id = newId(catalogue, "APPDATA_SNAPSHOT");
  catalogue.run(
    "INSERT INTO snapshot (id, dataset_id, dataset_kind, state, made_by, timeflow_id, version, owner, created) VALUES (?, ?, ?, 'creating', ?, ?, ?, ?, ?)",
    id,
    of.id,
    of.kind,
    madeBy,
    of.timeflow_id,
    of.version,
    of.owner,
    new Date().toISOString(),
  );
  return id;
}

export interface WantedDSource {
  readonly name: string;
  readonly groupId: string;
  readonly declared: boolean;
  readonly connection: Connection;
  readonly tags: readonly Tag[];
}

/** Records a dSource; its first snapshot is what links it. */
export function insertDSource(catalogue: Catalogue, { name, groupId, declared, connection, tags }: WantedDSource): string {
  const [id, timeflowId] = [newId(catalogue, "APPDATA_CONTAINER"), newId(catalogue, "APPDATA_TIMEFLOW")];
  catalogue.run(
    "INSERT INTO dsource (id, name, group_id, declared, state, connection, tags, timeflow_id, created) VALUES (?, ?, ?, ?, 'linking', ?, ?, ?, ?)",
    id,
    name,
    groupId,
    declared ? 1 : 0,
    JSON.stringify(connection),
    JSON.stringify(tags),
    timeflowId,
    new Date().toISOString(),
  );
  return id;
}

/** The same request twice is one job: who lost the answer may ask again. */
export function requestDSourceDeletion(catalogue: Catalogue, source: DSourceRow): JobRow {
  return catalogue.transaction(() => {
    const running = unfinishedJob(catalogue, "DSOURCE_DELETE", source.id);
    if (running !== undefined) return running;
    catalogue.run("UPDATE dsource SET state = 'deleting' WHERE id = ?", source.id);
    return submitJob(catalogue, { type: "DSOURCE_DELETE", targetId: source.id, targetName: source.name });
  });
}

export function requestVdbDeletion(catalogue: Catalogue, vdb: VdbRow): JobRow {
  return catalogue.transaction(() => {
    const running = unfinishedJob(catalogue, "DB_DELETE", vdb.id);
    if (running !== undefined) return running;
    catalogue.run("UPDATE vdb SET state = 'deleting' WHERE id = ?", vdb.id);
    return submitJob(catalogue, { type: "DB_DELETE", targetId: vdb.id, targetName: vdb.name });
  });
}

export function requestSnapshotDeletion(catalogue: Catalogue, snapshot: SnapshotRow): JobRow {
  return catalogue.transaction(() => {
    catalogue.run("UPDATE snapshot SET state = 'deleting' WHERE id = ?", snapshot.id);
    return submitJob(catalogue, {
      type: "SNAPSHOT_DELETE",
      targetId: snapshot.id,
      targetName: snapshot.id,
      parameters: { snapshotId: snapshot.id },
    });
  });
}

/** VDBs that are about to be cloned from a snapshot: until then it has to stay. */
export const provisionsFrom = (catalogue: Catalogue, snapshotId: string, vdbs: readonly VdbRow[]): readonly string[] => {
  const provisioning = new Set(
    unfinishedJobs(catalogue)
      .filter(({ type }) => type === "DB_PROVISION")
      .map((job) => job.target_id),
  );
  return vdbs.filter((vdb) => vdb.snapshot_id === snapshotId && provisioning.has(vdb.id)).map(({ name }) => name);
};
