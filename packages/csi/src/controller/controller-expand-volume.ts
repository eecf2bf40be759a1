import type { Handler } from "../grpc/handler.ts";
import { invalidArgument } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import { volumeIdOf } from "../volume-id.ts";
import { assertWithin, capacityRangeOf } from "./capacity-range.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { requireVdb } from "./require-vdb.ts";
import { askedCapacityBytes, capacityTag } from "./tags.ts";

/**
 * Writes a larger size on a volume's VDB. There is nothing else to enlarge, on no node either: a VDB has no bound but its pool.
 * A size that the volume has already is answered as it is, so a repeated call changes nothing.
 */
export const controllerExpandVolume =
  ({ dct, locks }: ControllerVolumes): Handler =>
  async (message, { signal }) => {
    const id = volumeIdOf(message);
    if (message.message("capacityRange") === undefined) throw invalidArgument("capacity_range is missing");
    const { requiredBytes, limitBytes } = capacityRangeOf(message);
    const capability = message.message("volumeCapability");
    const problem = capability === undefined ? undefined : objection(capability);
    if (problem !== undefined) throw invalidArgument(problem);
    const capacityBytes = await locks.run(id, signal, () =>
      dct.call(async (client) => {
        const present = askedCapacityBytes(await requireVdb(client, id, signal)) ?? 0;
        const bytes = Math.max(present, requiredBytes);
        assertWithin(bytes, limitBytes);
        if (bytes > present) await client.tagVdb(id, [capacityTag(bytes)], { signal });
        return bytes;
      }, signal),
    );
    return { capacityBytes, nodeExpansionRequired: false };
  };
