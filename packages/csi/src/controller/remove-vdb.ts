import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { type DctClient, DctError, findVdb, unfinishedJobOf } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { awaitJob } from "./await-job.ts";

/** Objects lag behind the jobs that change them. The second look, right after the job, is free; this is the pause before others. */
const lagSeconds = 0.2;

type Remover = Pick<DctClient, "searchVdbs" | "getVdb" | "getJob" | "searchJobs" | "deleteVdb">;

/**
 * Deletes a VDB and returns when DCT does not know it any more. Safe to call again at any point: a job that is under way,
 * of this call's or of an earlier one's, is waited for rather than started twice.
 */
export async function removeVdb(dct: Remover, id: string, call: Call): Promise<void> {
  const { signal } = call;
  let tried = false;
  for (let look = 1; ; look += 1) {
    if (look > 2) await sleep(lagSeconds * 1000, undefined, { signal });
    const vdb = await findVdb(dct, id, signal);
    // A search may leave out what an engine that is away has, so only DCT's own "not found" ends this.
    if (vdb === undefined && (await dct.getVdb(id, { signal })) === undefined) return;
    const what = `deleting VDB ${vdb?.name ?? id} (${id})`;
    if (call.secondsLeft() <= 0) throw new RpcError(status.DEADLINE_EXCEEDED, `${what}: DCT still shows it`);
    const running = await unfinishedJobOf(dct, id, signal);
    if (running !== undefined) {
      await awaitJob(dct, running.id, what, call);
    } else if (!tried) {
      tried = true;
      await runDelete(dct, id, what, call);
    }
  }
}

async function runDelete(dct: Remover, id: string, what: string, call: Call): Promise<void> {
  try {
    const { jobId } = await dct.deleteVdb(id, { signal: call.signal });
    const end = await awaitJob(dct, jobId, what, call);
    if (end.kind === "failed") throw new RpcError(status.FAILED_PRECONDITION, `${what}: ${end.message}`);
  } catch (error) {
    if (!(error instanceof DctError)) throw error;
    if (error.kind === "notFound") return;
    // A refused key is not DCT's word on this VDB: the Secret may hold another one by now.
    if (error.kind === "refused" || error.kind === "conflict")
      throw new RpcError(status.FAILED_PRECONDITION, `${what}: ${error.message}`, error);
    throw error;
  }
}

/**
 * For CreateVolume: removes what a provisioning left that failed for `reason`. While that does not succeed, no code may be
 * final: the provisioner would forget the claim, and what is left would stay for ever.
 */
export async function removeHalfMade(dct: Remover, id: string, reason: string, call: Call): Promise<void> {
  await removeVdb(dct, id, call).catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new RpcError(status.ABORTED, `${reason}; the driver cannot remove what it left: ${words}`, cause);
  });
}
