import { status } from "@grpc/grpc-js";
import { anyOf, type DctClient, eq, isQuotable } from "@vdb/dct";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import type { Handler } from "../grpc/handler.ts";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { describeSnapshot } from "./describe-snapshot.ts";
import { intentKey, nameKey } from "./names.ts";
import { takeSnapshot, type WantedSnapshot } from "./take-snapshot.ts";

/** Takes a snapshot of a volume's VDB in DCT, exactly one for each name, however often it is called. */
export const createSnapshot =
  ({ dct, locks }: Pick<ControllerVolumes, "dct" | "locks">): Handler =>
  async (message, call) => {
    const wanted = decode(message);
    return await locks.run(`snapshot ${wanted.name}`, call.signal, () =>
      // One at a time for each VDB: which snapshot a job has made is seen by what there was before.
      locks.run(wanted.vdbId, call.signal, () =>
        dct.call(async (client) => {
          await assertFree(client, wanted, call.signal);
          const { snapshot, vdb } = await takeSnapshot(client, wanted, call);
          return { snapshot: describeSnapshot(snapshot, vdb) };
        }, call.signal),
      ),
    );
  };

function decode(message: Message): WantedSnapshot {
  const name = message.string("name");
  if (name === "") throw invalidArgument("name is missing");
  if (!isQuotable(name))
    throw invalidArgument(`name ${JSON.stringify(name)} contains both kinds of quotes, or control characters`);
  const vdbId = message.string("sourceVolumeId");
  if (vdbId === "") throw invalidArgument("source_volume_id is missing");
  const parameters = message.strings("parameters");
  const [namespace, owner] = [
    parameters["csi.storage.k8s.io/volumesnapshot/namespace"],
    parameters["csi.storage.k8s.io/volumesnapshot/name"],
  ];
  return { name, vdbId, owner: namespace === undefined || owner === undefined ? undefined : `${namespace}/${owner}` };
}

/** Throws ALREADY_EXISTS when another VDB has, or is getting, a snapshot of this name. */
async function assertFree(
  dct: Pick<DctClient, "searchVdbs">,
  { name, vdbId }: WantedSnapshot,
  signal: AbortSignal,
): Promise<void> {
  const holders = await dct.searchVdbs(anyOf(eq("tags.key", nameKey(name)), eq("tags.key", intentKey(name))), { signal });
  const other = holders.find(({ id }) => id !== vdbId);
  if (other === undefined) return;
  throw new RpcError(
    status.ALREADY_EXISTS,
    `snapshot ${name} is one of VDB ${other.name ?? other.id} (${other.id}), not of ${vdbId}`,
  );
}
