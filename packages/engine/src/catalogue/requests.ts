/** What a request changes in the catalogue: the reservation and its job, in one transaction. The runner does the rest. */
import type { Tag } from "@vdb/dct";
import { submitJob, unfinishedJob } from "../jobs/submit.ts";
import { dataOwnerSpec } from "../link/owner.ts";
import type { Catalogue } from "./catalogue.ts";
import { Conflict } from "./conflict.ts";
import { dSourceById, vdbById } from "./datasets.ts";
import { requireNoneHeld, requireUnheld } from "./holds.ts";
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

/** A snapshot of a VDB that a provisioning takes by itself: of its origin before, or of what it has made after. */
export const reserveForProvision = (catalogue: Catalogue, vdb: Pick<Snapshotted, "id" | "timeflow_id" | "owner">): string =>
  reserveSnapshot(catalogue, { ...vdb, kind: "VDB", version: null }, "provision");

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
    requireNoneHeld(catalogue, source.id, `dSource ${source.name}`);
    catalogue.run("UPDATE dsource SET state = 'deleting' WHERE id = ?", source.id);
    return submitJob(catalogue, { type: "DSOURCE_DELETE", targetId: source.id, targetName: source.name });
  });
}

export function requestVdbDeletion(catalogue: Catalogue, vdb: VdbRow): JobRow {
  return catalogue.transaction(() => {
    const running = unfinishedJob(catalogue, "DB_DELETE", vdb.id);
    if (running !== undefined) return running;
    requireNoneHeld(catalogue, vdb.id, `VDB ${vdb.name}`);
    catalogue.run("UPDATE vdb SET state = 'deleting' WHERE id = ?", vdb.id);
    return submitJob(catalogue, { type: "DB_DELETE", targetId: vdb.id, targetName: vdb.name });
  });
}

export function requestSnapshotDeletion(catalogue: Catalogue, snapshot: SnapshotRow): JobRow {
  return catalogue.transaction(() => {
    requireUnheld(catalogue, snapshot.id);
    requireDataset(catalogue, snapshot);
    catalogue.run("UPDATE snapshot SET state = 'deleting' WHERE id = ?", snapshot.id);
    return submitJob(catalogue, {
      type: "SNAPSHOT_DELETE",
      targetId: snapshot.id,
      targetName: snapshot.id,
      parameters: { snapshotId: snapshot.id },
    });
  });
}

/** Throws Conflict while the dSource or VDB of a snapshot is being deleted, which takes the snapshot with it. */
export function requireDataset(catalogue: Catalogue, { id, dataset_id }: Pick<SnapshotRow, "id" | "dataset_id">): void {
  const dataset = dSourceById(catalogue, dataset_id) ?? vdbById(catalogue, dataset_id);
  if (dataset?.state === "deleting") throw new Conflict(`snapshot ${id} belongs to ${dataset.name}, which is being deleted`);
}
