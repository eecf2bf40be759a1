import { status } from "@grpc/grpc-js";
import { type DctClient, DctError } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { awaitJob } from "./await-job.ts";
import { codeOfFailure } from "./failure-code.ts";
import { removeHalfMade } from "./remove-vdb.ts";
import type { Places } from "./resolve-volume.ts";
import type { PlaceSpec } from "./volume-spec.ts";

export interface NewVolume {
  readonly name: string;
  readonly spec: PlaceSpec;
  readonly places: Places;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

/**
 * Makes a VDB and waits for it; gives back its id. When the job fails, what it left is removed before the error is told, so
 * that the error may be final. When even that fails the code is one that brings the caller back: findVolume goes on from there.
 */
export async function provisionVolume(dct: DctClient, volume: NewVolume, call: Call): Promise<string> {
  const { vdbId, jobId } = await start(dct, volume, call.signal);
  const end = await awaitJob(dct, jobId, `provisioning VDB ${volume.name}`, call);
  if (end.kind === "succeeded") return vdbId;
  const reason = end.kind === "failed" ? end.message : `DCT does not know its job ${jobId} any more`;
  await removeHalfMade(dct, vdbId, `provisioning VDB ${volume.name} failed: ${reason}`, call);
  throw refused(volume.name, reason);
}

async function start(
  dct: DctClient,
  { name, spec, places, tags }: NewVolume,
  signal: AbortSignal,
): Promise<{ readonly vdbId: string; readonly jobId: string }> {
  const { origin, group, environment, repository } = places;
  const parameters = {
    source_data_id: origin.datasetId,
    ...(origin.snapshotId === undefined ? {} : { snapshot_id: origin.snapshotId }),
    name,
    engine_id: origin.engine.id,
    target_group_id: group.id,
    environment_id: environment.id,
    repository_id: repository.id,
    mount_point: spec.mountPath,
    appdata_source_params: { mount_location: spec.mountPath, ownership_spec: spec.ownership },
    tags,
  };
  try {
    return await dct.provisionBySnapshot(parameters, { signal });
  } catch (error) {
    if (!(error instanceof DctError)) throw error;
    // Somebody else of this name was quicker, maybe an earlier life of this driver: the next call finds what it made.
    if (error.kind === "conflict") throw new RpcError(status.ABORTED, error.message, error);
    if (error.kind === "refused" || error.kind === "notFound") throw refused(name, error.message, error);
    throw error;
  }
}

const refused = (name: string, reason: string, cause?: unknown): RpcError =>
  new RpcError(codeOfFailure(reason), `provisioning VDB ${name} failed: ${reason}`, cause);
