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
  return await deleted(dct, timeflow, await deletionOf(dct, timeflow, signal), signal);
}

/**
 * Deletes the timeflows of a VDB, all but the current one and those that the database's status names: an action that was
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
  const strays = (await dct.searchTimeflows(eq("dataset_id", vdbId), { signal }))
    .map(({ id }) => id)
    .filter((id) => id !== current && !named.includes(id));
  const begun = new Map<string, Deletion>();
  for (const id of strays) begun.set(id, await deletionOf(dct, id, signal));
  const answers: Discard[] = [];
  for (const [id, deletion] of begun) answers.push(await deleted(dct, id, deletion, signal));
  const kept = answers.flatMap((answer) => (answer.kind === "kept" ? answer.message : []));
  if (kept.length > 0) return { kind: "kept", message: kept.join("; ") };
  return { kind: answers.some(({ kind }) => kind === "underWay") ? "underWay" : "gone" };
}

/** The job that deletes it, why DCT keeps it, or that it is gone already. */
type Deletion = { readonly kind: "begun"; readonly job: string } | Exclude<Discard, { readonly kind: "underWay" }>;

async function deleted(dct: Deleting, timeflow: string, deletion: Deletion, signal: AbortSignal): Promise<Discard> {
  if (deletion.kind !== "begun") return deletion;
  const end = await waitForJob(dct, deletion.job, { signal, deadlineSeconds: patienceSeconds });
  if (end.kind === "failed") return { kind: "kept", message: `DCT could not delete ${timeflow}: ${end.message}` };
  return { kind: end.kind === "deadline" ? "underWay" : "gone" };
}

async function deletionOf(dct: Deleting, timeflow: string, signal: AbortSignal): Promise<Deletion> {
  try {
    return { kind: "begun", job: (await dct.deleteTimeflow(timeflow, { signal })).jobId };
  } catch (error) {
    if (!(error instanceof DctError) || !error.isFinal()) throw error;
    return error.kind === "notFound" ? { kind: "gone" } : { kind: "kept", message: `DCT keeps ${timeflow}: ${error.message}` };
  }
}
