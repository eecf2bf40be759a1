import { status } from "@grpc/grpc-js";
import { type DctClient, eq, findVdb } from "@vdb/dct";
import { RpcError } from "../grpc/rpc-error.ts";
import { type NamedSnapshot, namedSnapshots } from "./names.ts";

/** So many a message names. */
const listed = 5;

/**
 * Throws FAILED_PRECONDITION while a VDB has snapshots that somebody has asked this driver for: DCT deletes a VDB's snapshots with
 * it, and CSI wants them to outlive their volume, or the volume to stay.
 */
export async function assertNoneStands(
  dct: Pick<DctClient, "searchVdbs" | "searchSnapshots">,
  vdbId: string,
  signal: AbortSignal,
): Promise<void> {
  const vdb = await findVdb(dct, vdbId, signal);
  const named = vdb === undefined ? [] : namedSnapshots(vdb);
  if (vdb === undefined || named.length === 0) return;
  const there = new Set((await dct.searchSnapshots(eq("dataset_id", vdbId), { signal })).map(({ id }) => id));
  const standing = named.filter(({ id }) => there.has(id));
  if (standing.length === 0) return;
  throw new RpcError(
    status.FAILED_PRECONDITION,
    `VDB ${vdb.name ?? vdbId} (${vdbId}) has snapshots, which DCT deletes together with it: delete ${wordsFor(standing)} first`,
  );
}

function wordsFor(standing: readonly NamedSnapshot[]): string {
  const words = standing.map(({ id, owner }) => (owner === undefined ? `snapshot ${id}` : `VolumeSnapshot ${owner}`)).toSorted();
  const more = words.length - listed;
  return words.slice(0, listed).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
