import { status } from "@grpc/grpc-js";
import { isQuotable } from "@vdb/dct";
import type { Handler } from "../grpc/handler.ts";
import { invalidArgument, notFound, RpcError } from "../grpc/rpc-error.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { requireVdb } from "./require-vdb.ts";
import { isExported, locations, volumeOf } from "./volume.ts";

/** One volume as ListVolumes shows it. */
export const controllerGetVolume =
  ({ dct }: Pick<ControllerVolumes, "dct">): Handler =>
  async (message, { signal }) => {
    const id = message.string("volumeId");
    if (id === "") throw invalidArgument("volume_id is missing");
    if (!isQuotable(id)) throw notFound(`there is no VDB ${id}`);
    return await dct.call(async (client) => {
      const vdb = await requireVdb(client, id, signal);
      if (!isExported(vdb))
        throw new RpcError(status.UNAVAILABLE, `DCT names no exported_data_directory for VDB ${id}: it is being made`);
      const locationOf = await locations(client, signal);
      return { volume: volumeOf(vdb, locationOf(vdb)), status: {} };
    }, signal);
  };
