import { type DctClient, eq, type Vdb } from "@vdb/dct";

/**
 * A VDB by its id, by search. To get it by its path would be the natural way, but then the embedded engine counts its bytes
 * first, for up to 1.5 s, and every volume would wait for a figure that nobody here reads.
 */
export async function findVdb(dct: Pick<DctClient, "searchVdbs">, id: string, signal: AbortSignal): Promise<Vdb | undefined> {
  const [vdb] = await dct.searchVdbs(eq("id", id), { limit: 1, signal });
  return vdb;
}
