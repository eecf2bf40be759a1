import { type DctClient, findVdb, isQuotable, type Vdb } from "@vdb/dct";
import { notFound } from "../grpc/rpc-error.ts";

type Finder = Pick<DctClient, "searchVdbs" | "getVdb">;

/** A VDB by its id. A search may leave out what an engine that is away has, so only DCT's own "not found" is one. */
export const lookForVdb = async (dct: Finder, id: string, signal: AbortSignal): Promise<Vdb | undefined> =>
  (await findVdb(dct, id, signal)) ?? (await dct.getVdb(id, { signal }));

/** The VDB of a volume; NOT_FOUND, as CSI wants it, when there is none. */
export async function requireVdb(dct: Finder, id: string, signal: AbortSignal): Promise<Vdb> {
  const vdb = isQuotable(id) ? await lookForVdb(dct, id, signal) : undefined; // no id of DCT looks otherwise
  if (vdb === undefined) throw notFound(`there is no VDB ${id}`);
  return vdb;
}
