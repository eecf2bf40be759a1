import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { type DctClient, DctError, unfinishedJobOf } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { awaitJob } from "./await-job.ts";

/** Objects lag behind the jobs that change them. The second look, right after the job, is free; this is the pause before others. */
const lagSeconds = 0.2;

export interface Removal {
  readonly id: string;
  /** What it is, in words; undefined when DCT says that it is not there. */
  readonly find: () => Promise<string | undefined>;
  readonly begin: () => Promise<{ readonly jobId: string }>;
}

type Jobs = Pick<DctClient, "getJob" | "searchJobs">;

/**
 * Deletes an object and returns when DCT does not know it any more. Safe to call again at any point: a job that is under way,
 * of this call's or of an earlier one's, is waited for rather than started twice.
 */
export async function removeFromDct(dct: Jobs, removal: Removal, call: Call): Promise<void> {
  const { signal } = call;
  let tried = false;
  for (let look = 1; ; look += 1) {
    if (look > 2) await sleep(lagSeconds * 1000, undefined, { signal });
    // Jobs first: DCT may hide an object while a job deletes it, and shows it again when the job fails.
    const running = await unfinishedJobOf(dct, removal.id, signal);
    if (running !== undefined) {
      await awaitJob(dct, running.id, `deleting ${removal.id}`, call);
      continue;
    }
    const what = await removal.find();
    if (what === undefined) return;
    if (call.secondsLeft() <= 0) throw new RpcError(status.DEADLINE_EXCEEDED, `deleting ${what}: DCT still shows it`);
    if (tried) continue;
    tried = true;
    await run(dct, removal, `deleting ${what}`, call);
  }
}

async function run(dct: Jobs, { begin }: Removal, what: string, call: Call): Promise<void> {
  try {
    const { jobId } = await begin();
    const end = await awaitJob(dct, jobId, what, call);
    if (end.kind === "failed") throw new RpcError(status.FAILED_PRECONDITION, `${what}: ${end.message}`);
  } catch (error) {
    if (!(error instanceof DctError)) throw error;
    if (error.kind === "notFound") return;
    // A refused key is not DCT's word on this object: the Secret may hold another one by now.
    if (error.kind === "refused" || error.kind === "conflict")
      throw new RpcError(status.FAILED_PRECONDITION, `${what}: ${error.message}`, error);
    throw error;
  }
}
