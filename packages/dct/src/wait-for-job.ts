import { setTimeout as sleepMs } from "node:timers/promises";
import type { DctClient } from "./client.ts";
import { type Job, jobClass } from "./contract/job.ts";
import { DctError } from "./errors.ts";

/**
 * How waiting for a job ended.
 * - succeeded, failed: the job says so; `message` carries its own words.
 * - gone: DCT has no such job (any more): look at the job's target instead.
 * - deadline: not finished in time. The job goes on; `message` says what was seen last.
 */
export type JobEnd =
  | { readonly kind: "succeeded"; readonly job: Job }
  | { readonly kind: "failed"; readonly job: Job; readonly message: string }
  | { readonly kind: "gone"; readonly message: string }
  | { readonly kind: "deadline"; readonly message: string };

export interface WaitForJobOptions {
  readonly signal: AbortSignal;
  readonly deadlineSeconds: number;
  /** Called with every answer, for progress messages. */
  readonly onProgress?: (job: Job) => void;
  /** Handed in by tests. */
  readonly clock?: { now(): number; sleep(milliseconds: number, signal: AbortSignal): Promise<unknown> };
}

const realClock = {
  now: () => performance.now(),
  sleep: (milliseconds: number, signal: AbortSignal) => sleepMs(milliseconds, undefined, { signal }),
};

/** The smallest jobs are over in milliseconds, and clients may wait for them; a long one must not fill DCT's access log. */
const firstPauseMs = 5;
const longestPauseMs = 2_000;
const stuckPauseMs = 10_000;

/**
 * Polls a job until it ends or the deadline passes. An outage in between is no end: it is waited out, and named if it lasts.
 * Throws a final DctError (a revoked key, for instance), and the signal's reason when the caller gave up.
 */
export async function waitForJob(
  client: Pick<DctClient, "getJob">,
  jobId: string,
  { signal, deadlineSeconds, onProgress, clock = realClock }: WaitForJobOptions,
): Promise<JobEnd> {
  const until = clock.now() + deadlineSeconds * 1000;
  let seen = "DCT has not answered yet";
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const look = await lookAt(client, jobId, signal);
    if (look.kind === "end") return look.end;
    if (look.kind === "job") onProgress?.(look.job);
    seen = look.kind === "job" ? stateOf(look.job) : look.error.message;
    const wantedMs =
      look.kind === "job" ? pauseOf(look.job, pauseMs) : Math.max(pauseMs, (look.error.retryAfterSeconds ?? 0) * 1000);
    const leftMs = until - clock.now();
    if (leftMs <= 0) return { kind: "deadline", message: `job ${jobId} has not ended yet: ${seen}` };
    await clock.sleep(Math.min(wantedMs, leftMs), signal);
  }
}

const pauseOf = (job: Job, pauseMs: number): number => (jobClass(job.status) === "stuck" ? stuckPauseMs : pauseMs);

/** Stable words: they become part of conditions. */
function stateOf({ status, is_waiting_for_telemetry: isDone = false }: Job): string {
  if (jobClass(status) === "stuck") return `its status is ${status}: somebody has to resume or cancel it in DCT`;
  return isDone ? "the engine has done it, and DCT has yet to see what changed" : `its status is ${status}`;
}

type Look =
  | { readonly kind: "job"; readonly job: Job }
  | { readonly kind: "outage"; readonly error: DctError }
  | { readonly kind: "end"; readonly end: JobEnd };

async function lookAt(client: Pick<DctClient, "getJob">, jobId: string, signal: AbortSignal): Promise<Look> {
  try {
    const job = await client.getJob(jobId, { signal });
    if (job === undefined) return { kind: "end", end: { kind: "gone", message: `DCT does not know job ${jobId}` } };
    switch (jobClass(job.status)) {
      case "goesOn":
      case "stuck":
        return { kind: "job", job };
      case "succeeded":
        return { kind: "end", end: { kind: "succeeded", job } };
      case "failed":
        return { kind: "end", end: { kind: "failed", job, message: wordsOf(job) } };
      default:
        throw new TypeError(`unanswered job class of ${job.status}`);
    }
  } catch (error) {
    if (error instanceof DctError && !error.isFinal()) return { kind: "outage", error };
    throw error;
  }
}

const wordsOf = (job: Job): string =>
  job.error_details ?? `job ${job.id} (${job.type ?? "unknown type"}) ended with status ${job.status}`;
