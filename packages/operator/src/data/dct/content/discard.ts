import type { PostgresVDB } from "@vdb/api";
import { type DctClient, DctError, eq, waitForJob } from "@vdb/dct";
import type { Discard } from "../../source.ts";
import { vdbIn } from "./change.ts";

type Deleting = Pick<DctClient, "searchVdbs" | "searchTimeflows" | "deleteTimeflow" | "getJob">;

/** A longer job is seen by the next look. */
const patienceSeconds = 2;

/** Deletes one timeflow of a VDB, never the current one. To be called until it is gone. Throws what may pass by itself. */
export async function discardTimeflow(dct: Deleting, vdbId: string, timeflow: string, signal: AbortSignal): Promise<Discard> {
  const { current_timeflow_id: current, name = vdbId } = await vdbIn(dct, vdbId, signal);
  if (current === undefined || current === timeflow)
    return { kind: "kept", message: `DCT has ${current ?? "no timeflow"} as the present data of the VDB ${name}` };
  const job = await deletionOf(dct, timeflow, signal);
  if (job === undefined) return { kind: "gone" };
  if (typeof job === "object") return job;
  const end = await waitForJob(dct, job, { signal, deadlineSeconds: patienceSeconds });
  if (end.kind === "failed") return { kind: "kept", message: `DCT could not delete ${timeflow}: ${end.message}` };
  return { kind: end.kind === "deadline" ? "underWay" : "gone" };
}

/**
 * Begins to delete the timeflows of a VDB, all but the current one and those that the database's status names: an action that was
 * taken back has left them, or DCT refused to delete them before. Nothing goes where a content does not say its timeflow.
 */
export async function discardStrays(
  dct: Deleting,
  vdbId: string,
  status: PostgresVDB["status"],
  signal: AbortSignal,
): Promise<Discard> {
  const contents = [status.content, status.previous, status.activeAction?.replaced].filter((one) => one !== undefined);
  const named = contents.map(({ timeflow }) => timeflow);
  const { current_timeflow_id: current } = await vdbIn(dct, vdbId, signal);
  if (current === undefined || named.includes(undefined)) return { kind: "gone" };
  const kept: string[] = [];
  for (const { id } of await dct.searchTimeflows(eq("dataset_id", vdbId), { signal })) {
    if (id === current || named.includes(id)) continue;
    const job = await deletionOf(dct, id, signal);
    if (typeof job === "object") kept.push(job.message);
  }
  return kept.length === 0 ? { kind: "gone" } : { kind: "kept", message: kept.join("; ") };
}

/** The job that deletes a timeflow; undefined: it is gone already. */
async function deletionOf(
  dct: Deleting,
  timeflow: string,
  signal: AbortSignal,
): Promise<string | Extract<Discard, { readonly kind: "kept" }> | undefined> {
  try {
    return (await dct.deleteTimeflow(timeflow, { signal })).jobId;
  } catch (error) {
    if (!(error instanceof DctError) || !error.isFinal()) throw error;
    return error.kind === "notFound" ? undefined : { kind: "kept", message: `DCT keeps ${timeflow}: ${error.message}` };
  }
}
