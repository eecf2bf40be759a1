import { status } from "@grpc/grpc-js";
import { claimIn, type DctClient } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { removeFromDct } from "./remove-from-dct.ts";
import { lookForVdb } from "./require-vdb.ts";

type Remover = Pick<DctClient, "searchVdbs" | "getVdb" | "getJob" | "searchJobs" | "deleteVdb">;

/** Deletes a VDB and returns when DCT does not know it any more; safe to call again at any point. */
export async function removeVdb(dct: Remover, id: string, call: Call): Promise<void> {
  const { signal } = call;
  const find = async (): Promise<string | undefined> => {
    const vdb = await lookForVdb(dct, id, signal);
    if (vdb !== undefined) call.tell({ claim: claimIn(vdb.tags) });
    return vdb === undefined ? undefined : `VDB ${vdb.name ?? id} (${id})`;
  };
  await removeFromDct(dct, { id, find, begin: () => dct.deleteVdb(id, { signal }) }, call);
}

/**
 * For CreateVolume: removes what a provisioning left that failed for `reason`. While that does not succeed, no code may be
 * final: the provisioner would forget the claim, and what is left would stay for ever.
 */
export async function removeHalfMade(dct: Remover, id: string, reason: string, call: Call): Promise<void> {
  await removeVdb(dct, id, call).catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new RpcError(status.ABORTED, `${reason}; the driver cannot remove what it left: ${words}`, cause);
  });
}
