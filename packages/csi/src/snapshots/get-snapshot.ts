import { status } from "@grpc/grpc-js";
import { findVdb } from "@vdb/dct";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import type { Handler } from "../grpc/handler.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { describeSnapshot } from "./describe-snapshot.ts";

export const getSnapshot =
  ({ dct }: Pick<ControllerVolumes, "dct">): Handler =>
  async (message, { signal }) => {
    const id = message.string("snapshotId");
    if (id === "") throw invalidArgument("snapshot_id is missing");
    const found = await dct.call(async (client) => {
      const snapshot = await client.getSnapshot(id, { signal });
      const vdb = snapshot?.dataset_id === undefined ? undefined : await findVdb(client, snapshot.dataset_id, signal);
      return snapshot === undefined || vdb === undefined ? undefined : describeSnapshot(snapshot, vdb);
    }, signal);
    if (found === undefined) throw new RpcError(status.NOT_FOUND, `there is no snapshot ${id} of a VDB`);
    return { snapshot: found };
  };
