import type { Handler } from "../grpc/handler.ts";
import { invalidArgument } from "../grpc/rpc-error.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { removeVdb } from "./remove-vdb.ts";

/** Deletes the VDB of a volume and waits until it is gone. One that is not there counts as deleted. */
export const deleteVolume =
  ({ dct, locks }: ControllerVolumes): Handler =>
  async (message, call) => {
    const id = message.string("volumeId");
    if (id === "") throw invalidArgument("volume_id is missing");
    await locks.run(id, call.signal, () => dct.call(async (client) => await removeVdb(client, id, call), call.signal));
    return {};
  };
