import { status } from "@grpc/grpc-js";
import type { Handler } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { volumeIdOf } from "../volume-id.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { requireVdb } from "./require-vdb.ts";
import { isExported, locations, volumeOf } from "./volume.ts";

/** One volume as ListVolumes shows it. */
export const controllerGetVolume =
  ({ dct }: Pick<ControllerVolumes, "dct">): Handler =>
  async (message, { signal }) => {
    const id = volumeIdOf(message);
    return await dct.call(async (client) => {
      const vdb = await requireVdb(client, id, signal);
      if (!isExported(vdb))
        throw new RpcError(status.UNAVAILABLE, `DCT names no exported_data_directory for VDB ${id}: it is being made`);
      const locationOf = await locations(client, signal);
      return { volume: volumeOf(vdb, locationOf(vdb)), status: {} };
    }, signal);
  };
