import { status } from "@grpc/grpc-js";
import { allOf, type DctClient, eq, type Filter, isQuotable, type Snapshot } from "@vdb/dct";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import type { Handler } from "../grpc/handler.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { describeSnapshot } from "./describe-snapshot.ts";
import { namedSnapshots } from "./names.ts";

/**
 * The snapshots that this driver was asked for, in the order of their ids; and one of a VDB that is asked for by its id, whoever took
 * it. Others are the engine's own, such as the one of every new VDB: to a caller a new volume has none.
 */
export const listSnapshots =
  ({ dct }: Pick<ControllerVolumes, "dct">): Handler =>
  async (message, { signal }) => {
    const most = message.number("maxEntries");
    if (most < 0) throw invalidArgument(`max_entries ${most} is negative`);
    const after = idBefore(message.string("startingToken"));
    const wanted = { id: message.string("snapshotId"), dataset_id: message.string("sourceVolumeId") };
    if (!Object.values(wanted).every(isQuotable)) return { entries: [] }; // no id of DCT looks like that
    const entries = await dct.call(async (client) => await entriesOf(client, wanted, signal), signal);
    const left = entries.filter(({ id }) => after === undefined || id > after);
    const page = most === 0 ? left : left.slice(0, most);
    const last = page.at(-1);
    return {
      entries: page.map(({ snapshot }) => ({ snapshot })),
      nextToken: last === undefined || page.length === left.length ? "" : tokenAfter(last.id),
    };
  };

/** A token names the last snapshot that was given out: those made or deleted meanwhile move no page. */
const tokenPrefix = "after:";
const tokenAfter = (id: string): string => tokenPrefix + id;

function idBefore(token: string): string | undefined {
  if (token === "") return undefined;
  if (!token.startsWith(tokenPrefix))
    throw new RpcError(status.ABORTED, `starting_token ${JSON.stringify(token)} is none of this driver: list from the start`);
  return token.slice(tokenPrefix.length);
}

interface Entry {
  readonly id: string;
  readonly snapshot: object;
}

async function entriesOf(
  dct: Pick<DctClient, "searchSnapshots" | "searchVdbs">,
  wanted: Readonly<Record<"id" | "dataset_id", string>>,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const filters = Object.entries(wanted).flatMap(([field, value]): readonly Filter[] => (value === "" ? [] : [eq(field, value)]));
  const snapshots = await dct.searchSnapshots(filters.length === 0 ? undefined : allOf(...filters), { sort: "id", signal });
  if (snapshots.length === 0) return [];
  const vdbs = new Map((await dct.searchVdbs(undefined, { signal })).map((vdb) => [vdb.id, vdb]));
  return snapshots
    .flatMap((one: Snapshot) => {
      const vdb = vdbs.get(one.dataset_id ?? "");
      const listed = vdb !== undefined && (wanted.id !== "" || namedSnapshots(vdb).some(({ id }) => id === one.id));
      return !listed ? [] : [{ id: one.id, snapshot: describeSnapshot(one, vdb) }];
    })
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
}
