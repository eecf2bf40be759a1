import type { Catalogue } from "../catalogue/catalogue.ts";
import { vdbById } from "../catalogue/datasets.ts";
import type { VdbRow } from "../catalogue/rows.ts";
import { Failure } from "../failure.ts";
import { conflict, notFound } from "../refusal.ts";
import type { JobContext } from "./job-kind.ts";

/** The VDB that the job is about; throws when the provisioning that was to make it has failed since the job was accepted. */
export function requireVdb({ catalogue, job }: Pick<JobContext, "catalogue" | "job">): VdbRow {
  const vdb = vdbById(catalogue, job.target_id);
  if (vdb === undefined) throw new Failure(`VDB ${job.target_name} does not exist: its provisioning failed`);
  return vdb;
}

/** The VDB that a request names. */
export function existingVdb(catalogue: Catalogue, id: string): VdbRow {
  const vdb = vdbById(catalogue, id);
  if (vdb === undefined) throw notFound("VDB", id);
  return vdb;
}

/** One that may still be provisioned: what is asked of it comes afterwards. */
export function livingVdb(catalogue: Catalogue, id: string): VdbRow {
  const vdb = existingVdb(catalogue, id);
  if (vdb.state === "deleting") throw conflict(`VDB ${vdb.name} is being deleted`);
  return vdb;
}

/** One that has its data. */
export function readyVdb(catalogue: Catalogue, id: string): VdbRow {
  const vdb = livingVdb(catalogue, id);
  if (vdb.state === "creating") throw conflict(`VDB ${vdb.name} is being provisioned`);
  return vdb;
}
