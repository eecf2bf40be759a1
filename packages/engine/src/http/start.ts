import type { Job } from "@vdb/dct";
import type { DefinedJob } from "../jobs/define-job.ts";
import type { ApiState } from "./state.ts";
import { viewJob } from "./views.ts";

/** Accepts a job, or throws the Refusal, and has it carried out. */
export function start<W>(state: ApiState, job: Pick<DefinedJob<W>, "request">, wanted: W): Job {
  const row = job.request(state, wanted);
  state.runner.wake();
  return viewJob(state, row);
}
