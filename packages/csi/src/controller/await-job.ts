import { status } from "@grpc/grpc-js";
import { type DctClient, type Job, waitForJob } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";

/** So much is kept of the caller's time, so that the answer, which says what was waited for, still reaches it. */
const reserveSeconds = 2;

export type JobOutcome =
  | { readonly kind: "succeeded"; readonly job: Job }
  | { readonly kind: "gone"; readonly job?: undefined }
  | { readonly kind: "failed"; readonly message: string };

/**
 * Waits for a job as long as the caller does. When its time is up the job goes on, and the caller comes again: the code says so.
 */
export async function awaitJob(dct: Pick<DctClient, "getJob">, jobId: string, what: string, call: Call): Promise<JobOutcome> {
  call.tell({ job: jobId });
  const deadlineSeconds = Math.max(call.secondsLeft() - reserveSeconds, 0);
  const end = await waitForJob(dct, jobId, { signal: call.signal, deadlineSeconds });
  if (end.kind === "deadline") throw new RpcError(status.DEADLINE_EXCEEDED, `${what}: ${end.message}; the job goes on`);
  if (end.kind === "failed") return { kind: "failed", message: end.message };
  return end.kind === "gone" ? { kind: "gone" } : { kind: "succeeded", job: end.job };
}
