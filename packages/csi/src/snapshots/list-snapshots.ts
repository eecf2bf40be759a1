import { allOf, type DctClient, eq, type Filter, isQuotable, type Snapshot } from "@vdb/dct";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import type { Handler } from "../grpc/handler.ts";
import { type Entry, pageOf, pageRequestOf } from "../grpc/page.ts";
import { describeSnapshot } from "./describe-snapshot.ts";
import { namedSnapshots } from "./names.ts";

/**
 * The snapshots that this driver was asked for, in the order of their ids; and one of a VDB that is asked for by its id, whoever took
 * it. Others are the engine's own, such as the one of every new VDB: to a caller a new volume has none.
 */
export const listSnapshots =
  ({ dct }: Pick<ControllerVolumes, "dct">): Handler =>
  async (message, { signal }) => {
    const request = pageRequestOf(message);
    const wanted = { id: message.string("snapshotId"), dataset_id: message.string("sourceVolumeId") };
    if (!Object.values(wanted).every(isQuotable)) return { entries: [] }; // no id of DCT looks like that
    return pageOf(await dct.call(async (client) => await entriesOf(client, wanted, signal), signal), request);
  };

async function entriesOf(
  dct: Pick<DctClient, "searchSnapshots" | "searchVdbs">,
  wanted: Readonly<Record<"id" | "dataset_id", string>>,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const filters = Object.entries(wanted).flatMap(([field, value]): readonly Filter[] => (value === "" ? [] : [eq(field, value)]));
  const snapshots = await dct.searchSnapshots(filters.length === 0 ? undefined : allOf(...filters), { sort: "id", signal });
  if (snapshots.length === 0) return [];
  const vdbs = new Map((await dct.searchVdbs(undefined, { signal })).map((vdb) => [vdb.id, vdb]));
  return snapshots.flatMap((one: Snapshot) => {
    const vdb = vdbs.get(one.dataset_id ?? "");
    const listed = vdb !== undefined && (wanted.id !== "" || namedSnapshots(vdb).some(({ id }) => id === one.id));
    return !listed ? [] : [{ id: one.id, entry: { snapshot: describeSnapshot(one, vdb) } }];
  });
}
