import { type DctClient, DctError, eq, findVdb, waitForJob } from "@vdb/dct";
import type { Discard } from "../source.ts";

/** Data that DCT keeps although nobody wants it any more, and why, for people. */
export interface Refusal {
  readonly name: string;
  readonly message: string;
}

/** What was asked of DCT: the jobs that it began, and what it keeps. */
export interface Discarding {
  readonly jobs: readonly string[];
  readonly refused: readonly Refusal[];
}

type Deleting = Pick<DctClient, "searchVdbs" | "searchTimeflows" | "deleteTimeflow">;

/**
 * Begins to delete the timeflows of a VDB, all but the current one and those that are named. May be repeated: what is gone counts
 * as done. Throws what may pass by itself.
 */
export async function discardOthers(
  dct: Deleting,
  vdbId: string,
  kept: readonly string[],
  signal: AbortSignal,
): Promise<Discarding> {
  const vdb = await findVdb(dct, vdbId, signal);
  if (vdb === undefined) throw new DctError("unreachable", `DCT does not show the VDB ${vdbId}`);
  const { current_timeflow_id: current, name: vdbName = vdbId } = vdb;
  if (current === undefined)
    return { jobs: [], refused: [{ name: `of VDB ${vdbName}`, message: "it does not say which data is current" }] };
  const [jobs, refused]: [string[], Refusal[]] = [[], []];
  for (const { id, name = id } of await dct.searchTimeflows(eq("dataset_id", vdbId), { signal })) {
    if (id === current || kept.includes(id)) continue;
    try {
      jobs.push((await dct.deleteTimeflow(id, { signal })).jobId);
    } catch (error) {
      if (!(error instanceof DctError) || !error.isFinal()) throw error;
      if (error.kind !== "notFound") refused.push({ name, message: error.message });
    }
  }
  return { jobs, refused };
}

/** A longer job is seen by the next look. */
const patienceSeconds = 2;

/** The same until it is so. `keepsLast`: what DCT would go back to stays; where DCT does not name it, everything does. */
export async function discard(
  dct: Deleting & Pick<DctClient, "getJob">,
  vdbId: string,
  keepsLast: boolean,
  signal: AbortSignal,
): Promise<Discard> {
  const last = keepsLast ? (await findVdb(dct, vdbId, signal))?.previous_timeflow_id : undefined;
  if (keepsLast && last === undefined)
    return { kind: "kept", message: "DCT does not say which of the older data was replaced last" };
  const { jobs, refused } = await discardOthers(dct, vdbId, last === undefined ? [] : [last], signal);
  for (const job of jobs) {
    const end = await waitForJob(dct, job, { signal, deadlineSeconds: patienceSeconds });
    if (end.kind === "failed") return { kind: "kept", message: `DCT could not delete it: ${end.message}` };
    if (end.kind === "deadline") return { kind: "underWay" };
  }
  const [first] = refused;
  return first === undefined ? { kind: "gone" } : { kind: "kept", message: `DCT keeps ${first.name}: ${first.message}` };
}
