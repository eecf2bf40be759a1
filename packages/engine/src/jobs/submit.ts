import { randomUUID } from "node:crypto";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { addHolds } from "../catalogue/holds.ts";
import { decodeJobRow, type JobRow, type JobType } from "../catalogue/rows.ts";

interface Wanted {
  readonly type: JobType;
  readonly targetId: string;
  readonly targetName: string;
  readonly parameters: object;
  /** Snapshots and timeflows that nobody may take away before the job has ended. */
  readonly holds: readonly string[];
}

/** Records the intent; see define-job.ts. */
export function insertJob(catalogue: Catalogue, { type, targetId, targetName, parameters, holds }: Wanted): JobRow {
  const now = new Date().toISOString();
  const id = randomUUID();
  catalogue.run(
    "INSERT INTO job (id, type, status, target_id, target_name, parameters, percent_complete, created, updated) VALUES (?, ?, 'PENDING', ?, ?, ?, 0, ?, ?)",
    id,
    type,
    targetId,
    targetName,
    JSON.stringify(parameters),
    now,
    now,
  );
  addHolds(catalogue, id, holds);
  const job = jobById(catalogue, id);
  if (job === undefined) throw new Error(`the catalogue does not contain job ${id} after its insert`);
  return job;
}

/** So many ended jobs can still be asked for. A source that is down for days makes thousands. */
const keptJobs = 2_000;

export function forgetOldJobs(catalogue: Catalogue): void {
  catalogue.run(
    `DELETE FROM job WHERE status IN ('COMPLETED', 'FAILED', 'ABANDONED') AND sequence <= (SELECT max(sequence) FROM job) - ?`,
    keptJobs,
  );
}

export const jobById = (catalogue: Catalogue, id: string): JobRow | undefined =>
  catalogue.one(decodeJobRow, "SELECT * FROM job WHERE id = ?", id);

export const unfinishedJobs = (catalogue: Catalogue): readonly JobRow[] =>
  catalogue.all(decodeJobRow, "SELECT * FROM job WHERE status IN ('PENDING', 'STARTED') ORDER BY sequence");

/** The unfinished job of this type on this target, so that the same request twice is one job. */
export const unfinishedJob = (catalogue: Catalogue, type: JobType, targetId: string): JobRow | undefined =>
  unfinishedJobs(catalogue).find((job) => job.type === type && job.target_id === targetId);
