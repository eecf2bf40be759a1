/**
 * Holds: the snapshots that a job needs until it has ended. A job gets them in the transaction that accepts it and loses them in the
 * one that ends it; a deletion looks for them in the transaction that accepts the deletion. So whichever comes first is carried out.
 */
import { type Decoded, object, string } from "@vdb/dct";
import type { Catalogue } from "./catalogue.ts";
import { Conflict } from "./conflict.ts";

const decodeHold = object({ snapshot_id: string, job_id: string, type: string, target_name: string }, {});
type Hold = Decoded<typeof decodeHold>;

const holdsWhere = (condition: string): string =>
  `SELECT hold.snapshot_id, job.id AS job_id, job.type, job.target_name
   FROM hold JOIN job ON job.id = hold.job_id WHERE ${condition} ORDER BY job.sequence`;

export function addHolds(catalogue: Catalogue, jobId: string, snapshotIds: readonly string[]): void {
  for (const id of snapshotIds) catalogue.run("INSERT INTO hold (job_id, snapshot_id) VALUES (?, ?)", jobId, id);
}

export const dropHolds = (catalogue: Catalogue, jobId: string): void => catalogue.run("DELETE FROM hold WHERE job_id = ?", jobId);

const holdsOn = (catalogue: Catalogue, snapshotId: string): readonly Hold[] =>
  catalogue.all(decodeHold, holdsWhere("hold.snapshot_id = ?"), snapshotId);

export const isHeld = (catalogue: Catalogue, snapshotId: string): boolean => holdsOn(catalogue, snapshotId).length > 0;

/** Throws Conflict while a job needs this snapshot. */
export const requireUnheld = (catalogue: Catalogue, snapshotId: string): void =>
  refuse(`snapshot ${snapshotId}`, holdsOn(catalogue, snapshotId));

/** Throws Conflict while a job needs a snapshot of this dSource or VDB, also one that it has yet to take. */
export const requireNoneHeld = (catalogue: Catalogue, datasetId: string, what: string): void =>
  refuse(
    what,
    catalogue.all(decodeHold, holdsWhere("hold.snapshot_id IN (SELECT id FROM snapshot WHERE dataset_id = ?)"), datasetId),
  );

function refuse(what: string, holds: readonly Hold[]): void {
  if (holds.length === 0) return;
  const needs = holds.map((hold) => `snapshot ${hold.snapshot_id} by job ${hold.job_id} (${hold.type} of ${hold.target_name})`);
  throw new Conflict(`${what} cannot be deleted while a job needs it: ${needs.join(", ")}; delete it when the job has ended`);
}
