import { isQuotable } from "@vdb/dct";
import type { Handler } from "../grpc/handler.ts";
import { assertNoneStands } from "../snapshots/standing-snapshots.ts";
import { volumeIdOf } from "../volume-id.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { removeVdb } from "./remove-vdb.ts";

/**
 * Deletes the VDB of a volume and waits until it is gone. One that is not there counts as deleted. One with snapshots that somebody
 * has asked for stays, whole.
 */
export const deleteVolume =
  ({ dct, locks }: ControllerVolumes): Handler =>
  async (message, call) => {
    const id = volumeIdOf(message);
    if (!isQuotable(id)) return {}; // no id of DCT looks like that
    await locks.run(id, call.signal, () =>
      dct.call(async (client) => {
        await assertNoneStands(client, id, call.signal);
        await removeVdb(client, id, call);
      }, call.signal),
    );
    return {};
  };
