import { allOf, type DctClient, eq, findVdb } from "@vdb/dct";
import type { Facts } from "../source.ts";

/** What the driver took: it looks for the newest snapshot itself, some moments after the operator did. */
export async function originOf(
  dct: Pick<DctClient, "searchVdbs" | "searchSnapshots">,
  id: string,
  signal: AbortSignal,
): Promise<Facts | undefined> {
  const { parent_id: parent, parent_timeflow_timestamp: dataTimestamp } = (await findVdb(dct, id, signal)) ?? {};
  if (parent === undefined || dataTimestamp === undefined) return undefined;
  const taken = allOf(eq("dataset_id", parent), eq("timestamp", dataTimestamp));
  const [snapshot] = await dct.searchSnapshots(taken, { limit: 1, signal });
  return { dataTimestamp, snapshot: snapshot === undefined ? undefined : { id: snapshot.id, name: snapshot.name } };
}
