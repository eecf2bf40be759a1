import { status } from "@grpc/grpc-js";
import { type DctClient, eq, jobClass, oneOf, unfinishedJobStates, type Vdb } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { awaitJob } from "./await-job.ts";
import { removeHalfMade } from "./remove-vdb.ts";

type Finder = Pick<DctClient, "searchVdbs" | "searchJobs" | "getJob" | "getVdb" | "deleteVdb">;

/**
 * The finished VDB of a volume's name, or undefined when there is none and none is being made: only then may one be made.
 * This is what makes CreateVolume safe to repeat, also after the driver was killed between any two of its lines:
 * a job under way is waited for, and what a failed provisioning left is removed.
 */
export async function findVolume(dct: Finder, name: string, call: Call): Promise<Vdb | undefined> {
  for (;;) {
    // Jobs first: one that is not among them any more has ended, and then its VDB is among the VDBs.
    const unfinished = await dct.searchJobs(oneOf("status", unfinishedJobStates), { signal: call.signal });
    const vdb = await vdbNamed(dct, name, call.signal);
    // DCT may show a VDB only after its job, and then the job's target name is all there is to know it by.
    const running = unfinished.find((job) => job.target_name === name || (vdb !== undefined && job.target_id === vdb.id));
    if (running !== undefined) {
      await awaitJob(dct, running.id, `provisioning VDB ${name}`, call);
      continue;
    }
    if (vdb === undefined || !(await isHalfMade(dct, vdb, call.signal))) return vdb;
    await removeHalfMade(dct, vdb.id, `an earlier provisioning of VDB ${name} failed`, call);
  }
}

async function vdbNamed(dct: Finder, name: string, signal: AbortSignal): Promise<Vdb | undefined> {
  const [vdb, ...others] = await dct.searchVdbs(eq("name", name), { signal });
  if (others.length === 0) return vdb;
  // Names of volumes are unique in the world, so this is somebody else's doing, and whose data is right cannot be known.
  throw new RpcError(status.ABORTED, `DCT has ${others.length + 1} VDBs named ${name}: delete the unused ones`);
}

/** The first job that a VDB was the target of is the one that made it, unless DCT has forgotten that one. */
async function isHalfMade(dct: Finder, vdb: Vdb, signal: AbortSignal): Promise<boolean> {
  const [first] = await dct.searchJobs(eq("target_id", vdb.id), { sort: "start_time", limit: 1, signal });
  return first?.type?.includes("PROVISION") === true && jobClass(first.status) === "failed";
}
