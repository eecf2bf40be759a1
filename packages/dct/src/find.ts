/** Questions that every user of DCT asks in the same words. */
import type { DctClient } from "./client.ts";
import type { Vdb } from "./contract/datasets.ts";
import { type Job, unfinishedJobStates } from "./contract/job.ts";
import { allOf, eq, oneOf } from "./filter.ts";

/**
 * A VDB by its id, by search. To get it by its path would be the natural way, but then the embedded engine counts its bytes
 * first, for up to 1.5 s, and every caller would wait for a figure that it does not read. A search may leave out what an
 * engine that is away has: only DCT's own "not found" (`getVdb`) says that a VDB is gone.
 */
export async function findVdb(dct: Pick<DctClient, "searchVdbs">, id: string, signal: AbortSignal): Promise<Vdb | undefined> {
  const [vdb] = await dct.searchVdbs(eq("id", id), { limit: 1, signal });
  return vdb;
}

/** The job that may still have an effect on an object, whoever began it: wait for it instead of starting another. */
export async function unfinishedJobOf(
  dct: Pick<DctClient, "searchJobs">,
  targetId: string,
  signal: AbortSignal,
): Promise<Job | undefined> {
  const unfinished = allOf(eq("target_id", targetId), oneOf("status", unfinishedJobStates));
  const [job] = await dct.searchJobs(unfinished, { limit: 1, signal });
  return job;
}
