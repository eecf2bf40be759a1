import type { Decoder } from "@vdb/dct";
import type { JobRow, JobType } from "../catalogue/rows.ts";
import type { JobContext, JobKind, Parts, Result } from "./job-kind.ts";
import { insertJob } from "./submit.ts";

/** What accepting a job works with. */
export type Reserving = Pick<Parts, "catalogue" | "pool">;

/** What a job is about, and what it has to remember. */
export interface Reserved<P> {
  readonly targetId: string;
  readonly targetName: string;
  readonly parameters: P;
}

/**
 * One kind of job, from the request to its end; its whole life is in one file.
 * - `reserve` looks whether the request can be granted, else throws a Refusal; it chooses the ids of all that the job will make and
 *   records them as intents. It and the record of the job are one transaction. The same request twice may answer with the job that
 *   is under way.
 * - `holds`: the snapshots and timeflows that nobody may take away before the job has ended.
 * - `run`, `undo`: see JobKind.
 */
export interface JobDefinition<W, P extends object> {
  readonly type: JobType;
  /** Of what `reserve` has left in the catalogue, perhaps that of an earlier build. */
  readonly parameters: Decoder<P>;
  readonly holds: (parameters: NoInfer<P>) => readonly string[];
  readonly reserve: (parts: Reserving, wanted: W) => Reserved<NoInfer<P>> | { readonly running: JobRow };
  readonly run: (context: JobContext, parameters: NoInfer<P>) => Promise<Result>;
  readonly undo: (context: JobContext, parameters: NoInfer<P>, failure: string) => Promise<Result>;
}

export interface DefinedJob<W> extends JobKind {
  readonly type: JobType;
  /** Accepts the job, or throws a Refusal; wake the runner afterwards. Joins a transaction that is open. */
  request(parts: Reserving, wanted: W): JobRow;
}

export function defineJob<W, P extends object>(definition: JobDefinition<W, P>): DefinedJob<W> {
  const { type } = definition;
  const parametersOf = (job: JobRow): P => definition.parameters(job.parameters, `parameters of job ${job.id}`);
  return {
    type,
    request: (parts, wanted) =>
      parts.catalogue.transaction(() => {
        const reserved = definition.reserve(parts, wanted);
        if ("running" in reserved) return reserved.running;
        return insertJob(parts.catalogue, { ...reserved, type, holds: definition.holds(reserved.parameters) });
      }),
    run: (context) => definition.run(context, parametersOf(context.job)),
    undo: (context, failure) => definition.undo(context, parametersOf(context.job), failure),
  };
}
