import { isQuotable } from "@vdb/dct";
import type { Handler } from "../grpc/handler.ts";
import { volumeIdOf } from "../volume-id.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { enableVdb } from "./enable-vdb.ts";

/** Disables a volume's VDB in DCT when no node has it mounted any more. One that is not there counts as disabled. */
export const controllerUnpublishVolume =
  ({ dct, locks }: ControllerVolumes): Handler =>
  async (message, call) => {
    const id = volumeIdOf(message);
    if (!isQuotable(id)) return {}; // no id of DCT looks like that
    await locks.run(id, call.signal, () => dct.call(async (client) => await enableVdb(client, id, false, call), call.signal));
    return {};
  };
