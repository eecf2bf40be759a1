import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { type DctClient, DctError, unfinishedJobOf } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { awaitJob } from "./await-job.ts";
import { lookForVdb } from "./require-vdb.ts";

/** Objects lag behind the jobs that change them. */
const pauseSeconds = 0.2;

type Enabler = Pick<DctClient, "searchVdbs" | "getVdb" | "searchJobs" | "getJob" | "enableVdb" | "disableVdb">;

/**
 * Enables or disables a VDB and returns when DCT shows it so; one that is gone counts as done. Safe to call again at any point:
 * a job that somebody has begun is waited for.
 */
export async function enableVdb(dct: Enabler, id: string, wanted: boolean, call: Call): Promise<void> {
  const what = `DCT ${wanted ? "enables" : "disables"} VDB ${id}`;
  for (let begun = false; ; ) {
    const running = await unfinishedJobOf(dct, id, call.signal);
    if (running !== undefined) {
      await awaitJob(dct, running.id, what, call);
      continue;
    }
    const vdb = await lookForVdb(dct, id, call.signal);
    if (vdb === undefined || (vdb.enabled ?? true) === wanted) return;
    if (call.secondsLeft() <= 0) throw new RpcError(status.DEADLINE_EXCEEDED, `${what}: DCT does not show it yet`);
    if (begun) await sleep(pauseSeconds * 1000, undefined, { signal: call.signal });
    else await begin(dct, id, wanted, what, call);
    begun = true;
  }
}

async function begin(dct: Enabler, id: string, wanted: boolean, what: string, call: Call): Promise<void> {
  try {
    const { jobId } = await (wanted ? dct.enableVdb : dct.disableVdb)(id, { signal: call.signal });
    const end = await awaitJob(dct, jobId, what, call);
    if (end.kind === "failed") throw new RpcError(status.FAILED_PRECONDITION, `${what}, and fails: ${end.message}`);
  } catch (error) {
    if (!(error instanceof DctError)) throw error;
    if (error.kind === "notFound") return;
    if (error.kind === "refused" || error.kind === "conflict")
      throw new RpcError(status.FAILED_PRECONDITION, `${what}, and is refused: ${error.message}`, error);
    throw error;
  }
}
