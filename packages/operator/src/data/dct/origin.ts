import { allOf, type DctClient, eq, findVdb } from "@vdb/dct";

/** The point in time that a VDB was made from. */
export interface Origin {
  readonly timestamp: string;
  /** Undefined when DCT has the snapshot no longer. */
  readonly snapshot: { readonly id: string; readonly name?: string | undefined } | undefined;
}

/** What the driver took: it looks for the newest snapshot itself, some moments after the operator did. */
export async function originOf(
  dct: Pick<DctClient, "searchVdbs" | "searchSnapshots">,
  id: string,
  signal: AbortSignal,
): Promise<Origin | undefined> {
  const { parent_id: parent, parent_timeflow_timestamp: timestamp } = (await findVdb(dct, id, signal)) ?? {};
  if (parent === undefined || timestamp === undefined) return undefined;
  const [snapshot] = await dct.searchSnapshots(allOf(eq("dataset_id", parent), eq("timestamp", timestamp)), { limit: 1, signal });
  return { timestamp, snapshot };
}
