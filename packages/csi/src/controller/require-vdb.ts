import { status } from "@grpc/grpc-js";
import { type DctClient, findVdb, type Vdb } from "@vdb/dct";
import { RpcError } from "../grpc/rpc-error.ts";

type Finder = Pick<DctClient, "searchVdbs" | "getVdb">;

/** A VDB by its id. A search may leave out what an engine that is away has, so only DCT's own "not found" is one. */
export const lookForVdb = async (dct: Finder, id: string, signal: AbortSignal): Promise<Vdb | undefined> =>
  (await findVdb(dct, id, signal)) ?? (await dct.getVdb(id, { signal }));

/** The VDB of a volume; NOT_FOUND, as CSI wants it, when there is none. */
export async function requireVdb(dct: Finder, id: string, signal: AbortSignal): Promise<Vdb> {
  const vdb = await lookForVdb(dct, id, signal);
  if (vdb === undefined) throw new RpcError(status.NOT_FOUND, `there is no VDB ${id}`);
  return vdb;
}
