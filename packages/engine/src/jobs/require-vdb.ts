import { vdbById } from "../catalogue/datasets.ts";
import type { VdbRow } from "../catalogue/rows.ts";
import { Failure } from "../failure.ts";
import type { JobContext } from "./job-kind.ts";

/** The VDB that the job is about; throws when the provisioning that was to make it has failed since the job was accepted. */
export function requireVdb({ catalogue, job }: Pick<JobContext, "catalogue" | "job">): VdbRow {
  const vdb = vdbById(catalogue, job.target_id);
  if (vdb === undefined) throw new Failure(`VDB ${job.target_name} does not exist: its provisioning failed`);
  return vdb;
}
