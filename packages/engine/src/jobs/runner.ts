import { setTimeout as sleepMs } from "node:timers/promises";
import { dropHolds } from "../catalogue/holds.ts";
import type { JobRow, JobType } from "../catalogue/rows.ts";
import { wordsOf } from "../failure.ts";
import type { JobContext, JobKind, Parts, Result } from "./job-kind.ts";
import { choose } from "./schedule.ts";
import { jobLogFields } from "./subject.ts";
import { jobById, unfinishedJobs } from "./submit.ts";

export interface Progress {
  readonly percentComplete: number;
  readonly task: string;
}

/** Carries out recorded jobs, those left over from the last run of the engine first. */
export interface Runner extends AsyncDisposable {
  /** Something was submitted. */
  wake(): void;
  /** Somebody has recorded that a job is not wanted any more: ends what it is doing, so that it is undone. */
  abandon(jobId: string): void;
  progressOf(jobId: string): Progress | undefined;
}

/** Told once for each job that has ended, however it did. */
export type JobEnded = (type: JobType, result: JobResult, seconds: number) => void;
export type JobResult = "completed" | "failed" | "abandoned";

/** A removal that fails is tried again so often; the job stays STARTED until what it left is gone. */
const againPauseMs = 5_000;

/**
 * Jobs of one target run one after the other, in the order of arrival. Stopping aborts the running ones and leaves them
 * STARTED: the next start takes them up again.
 */
export function startRunner(parts: Parts, kinds: Readonly<Record<JobType, JobKind>>, ended: JobEnded): Runner {
  const { catalogue, log } = parts;
  const stopping = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    stopping.signal.addEventListener("abort", () => reject(stopping.signal.reason), { once: true });
  });
  stopped.catch(() => undefined); // nobody may be waiting
  /** A test that stops a job here must not keep the engine from stopping. */
  const failpoint = (name: string): Promise<void> => Promise.race([parts.failpoint(name), stopped]);
  const running = new Map<string, { readonly job: JobRow; readonly done: Promise<void> }>();
  const abandoning = new Map<string, AbortController>();
  const progress = new Map<string, Progress>();

  const touch = (job: JobRow, change: string, ...values: readonly (string | number | null)[]): void =>
    catalogue.run(`UPDATE job SET ${change}, updated = ? WHERE id = ?`, ...values, new Date().toISOString(), job.id);

  const end = (job: JobRow, result: Result, change: string, ...values: readonly (string | number | null)[]): void =>
    catalogue.transaction(() => {
      result();
      dropHolds(catalogue, job.id);
      touch(job, change, ...values);
    });

  /** Why the job failed, or undefined when it is completed. */
  const act = async (context: JobContext, kind: JobKind): Promise<string | undefined> => {
    const { job } = context;
    if (job.failure !== undefined) return job.failure;
    try {
      requireWanted(catalogue, job.id);
      touch(job, "status = 'STARTED'");
      await context.failpoint(`${job.type}:started`);
      const result = await kind.run(context);
      await context.failpoint(`${job.type}:acted`);
      requireWanted(catalogue, job.id);
      end(job, result, "status = 'COMPLETED', percent_complete = 100");
      await failpoint(`${job.type}:recorded`);
      return undefined;
    } catch (error) {
      if (stopping.signal.aborted) throw error;
      const failure = isAbandoned(catalogue, job.id) ? abandonedWords : wordsOf(error);
      touch(job, "failure = ?", failure);
      return failure;
    }
  };

  const undo = async (context: JobContext, kind: JobKind, failure: string): Promise<void> => {
    for (;;) {
      try {
        await failpoint(`${context.job.type}:failed`);
        const undone = await kind.undo(context, failure);
        end(context.job, undone, `status = iif(abandoned, 'ABANDONED', 'FAILED')`);
        return;
      } catch (error) {
        stopping.signal.throwIfAborted();
        context.log.error({ err: error }, "cannot remove what a failed job left; the engine tries again");
        await sleepMs(againPauseMs, undefined, { signal: stopping.signal });
      }
    }
  };

  const carryOut = async (job: JobRow): Promise<void> => {
    const from = performance.now();
    const unwanted = new AbortController();
    abandoning.set(job.id, unwanted);
    const abandoned = new Promise<never>((_, reject) => {
      unwanted.signal.addEventListener("abort", () => reject(unwanted.signal.reason), { once: true });
    });
    abandoned.catch(() => undefined); // nobody may be waiting
    const told = log.child(jobLogFields(catalogue, job)); // before it begins: it may remove what this names
    const context: JobContext = {
      ...parts,
      log: told,
      failpoint: (name) => Promise.race([failpoint(name), abandoned]),
      job,
      signal: AbortSignal.any([stopping.signal, unwanted.signal]),
      progress: (percentComplete, task) => progress.set(job.id, { percentComplete, task }),
    };
    told.info({}, "job begins");
    const failure = await act(context, kinds[job.type]);
    // What is undone is carried to its end.
    if (failure !== undefined) await undo({ ...context, failpoint, signal: stopping.signal }, kinds[job.type], failure);
    const seconds = (performance.now() - from) / 1000;
    if (failure === undefined) told.info({ seconds }, "job completed");
    else told.warn({ seconds, failure }, "job failed");
    const undone = isAbandoned(catalogue, job.id) ? "abandoned" : "failed";
    ended(job.type, failure === undefined ? "completed" : undone, seconds);
  };

  const start = (job: JobRow): void => {
    const work = async (): Promise<void> => {
      try {
        await carryOut(job);
      } catch (error) {
        // The catalogue could not be written: its disk may be full. The job is taken up again, but not in a tight loop.
        if (!stopping.signal.aborted) log.error({ job: job.id, err: error }, "job interrupted; the engine takes it up again");
        await sleepMs(againPauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      } finally {
        running.delete(job.id);
        abandoning.delete(job.id);
        progress.delete(job.id);
        wake();
      }
    };
    running.set(job.id, { job, done: work() });
  };

  const wake = (): void => {
    if (stopping.signal.aborted) return;
    const busy = [...running.values()].map(({ job }) => job);
    for (const job of choose(unfinishedJobs(catalogue), busy)) start(job);
  };

  wake();
  return {
    wake,
    abandon: (jobId) => abandoning.get(jobId)?.abort(new Error(abandonedWords)),
    progressOf: (jobId) => progress.get(jobId),
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new Error("the engine is stopping"));
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

const abandonedWords = "the job was abandoned";

const isAbandoned = (catalogue: Parts["catalogue"], jobId: string): boolean => jobById(catalogue, jobId)?.abandoned ?? false;

/** Asked where nothing is lost by undoing: before the job begins, and before its end is recorded. */
function requireWanted(catalogue: Parts["catalogue"], jobId: string): void {
  if (isAbandoned(catalogue, jobId)) throw new Error(abandonedWords);
}
