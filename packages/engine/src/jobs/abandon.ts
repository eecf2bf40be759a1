import type { Catalogue } from "../catalogue/catalogue.ts";
import type { JobRow, JobType } from "../catalogue/rows.ts";
import { conflict, notFound } from "../refusal.ts";
import type { Runner } from "./runner.ts";
import { jobById } from "./submit.ts";

/** What has begun to remove bytes cannot give them back. */
const irreversible: ReadonlySet<JobType> = new Set(["DB_DELETE", "DSOURCE_DELETE", "SNAPSHOT_DELETE", "TIMEFLOW_DELETE"]);

/**
 * Records that a job is not wanted any more: it is undone, and ends in status ABANDONED, at once or when its turn comes. A job that is about
 * to end may still complete. Asked a second time it changes nothing.
 */
export function abandonJob(catalogue: Catalogue, runner: Pick<Runner, "abandon" | "wake">, id: string): void {
  catalogue.transaction(() => {
    const job = jobById(catalogue, id);
    if (job === undefined) throw notFound("job", id);
    if (job.status === "ABANDONED") return;
    requireUnfinished(job);
    catalogue.run("UPDATE job SET abandoned = 1 WHERE id = ?", id);
  });
  runner.abandon(id);
  runner.wake();
}

function requireUnfinished({ id, type, status, target_name }: JobRow): void {
  if (status !== "PENDING" && status !== "STARTED")
    throw conflict(`job ${id} (${type} of ${target_name}) has ended with status ${status}: there is nothing to abandon`);
  if (status === "STARTED" && irreversible.has(type))
    throw conflict(`job ${id} (${type} of ${target_name}) removes data already and is carried out`);
}
