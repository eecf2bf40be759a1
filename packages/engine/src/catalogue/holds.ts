/**
 * Holds: the snapshots and timeflows that a job needs until it has ended. A job gets them in the transaction that accepts it and loses
 * them in the one that ends it; a deletion looks for them in the transaction that accepts the deletion. So whichever comes first is
 * carried out.
 */
import { type Decoded, object, string } from "@vdb/dct";
import { conflict } from "../refusal.ts";
import type { Catalogue } from "./catalogue.ts";

const decodeHold = object({ object_id: string, job_id: string, type: string, target_name: string }, {});
type Hold = Decoded<typeof decodeHold>;

const holdsWhere = (condition: string): string =>
  `SELECT hold.object_id, job.id AS job_id, job.type, job.target_name
   FROM hold JOIN job ON job.id = hold.job_id WHERE ${condition} ORDER BY job.sequence`;

export function addHolds(catalogue: Catalogue, jobId: string, ids: readonly string[]): void {
  for (const id of ids) catalogue.run("INSERT INTO hold (job_id, object_id) VALUES (?, ?)", jobId, id);
}

export const dropHolds = (catalogue: Catalogue, jobId: string): void => catalogue.run("DELETE FROM hold WHERE job_id = ?", jobId);

const holdsOn = (catalogue: Catalogue, id: string): readonly Hold[] =>
  catalogue.all(decodeHold, holdsWhere("hold.object_id = ?"), id);

export const isHeld = (catalogue: Catalogue, id: string): boolean => holdsOn(catalogue, id).length > 0;

/** What a job may hold. */
type Held = "snapshot" | "timeflow";

/** Throws a conflict while a job needs this snapshot or timeflow. */
export const requireUnheld = (catalogue: Catalogue, kind: Held, id: string): void =>
  refuse(`${kind} ${id}`, kind, holdsOn(catalogue, id));

/** Throws a conflict while a job needs a snapshot or a timeflow of this dSource or VDB, also one that it has yet to take. */
export function requireNoneHeld(catalogue: Catalogue, datasetId: string, what: string): void {
  for (const kind of ["snapshot", "timeflow"] as const)
    refuse(
      what,
      kind,
      catalogue.all(decodeHold, holdsWhere(`hold.object_id IN (SELECT id FROM ${kind} WHERE dataset_id = ?)`), datasetId),
    );
}

function refuse(what: string, kind: Held, holds: readonly Hold[]): void {
  if (holds.length === 0) return;
  const needs = holds.map((hold) => `${kind} ${hold.object_id} by job ${hold.job_id} (${hold.type} of ${hold.target_name})`);
  throw conflict(`${what} cannot be deleted while a job needs it: ${needs.join(", ")}; delete it when the job has ended`);
}
