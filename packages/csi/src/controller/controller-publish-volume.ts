import { claimIn } from "@vdb/dct";
import type { Handler } from "../grpc/handler.ts";
import { invalidArgument, notFound } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import { volumeIdOf } from "../volume-id.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { enableVdb } from "./enable-vdb.ts";
import { requireVdb } from "./require-vdb.ts";
import { nodeOf } from "./topology.ts";

/** Enables a volume's VDB in DCT before the node that holds its data mounts it. Only with flag --attach. */
export const controllerPublishVolume =
  ({ dct, locks }: ControllerVolumes): Handler =>
  async (message, call) => {
    const id = volumeIdOf(message);
    const wanted = message.string("nodeId");
    if (wanted === "") throw invalidArgument("node_id is missing");
    const capability = message.message("volumeCapability");
    if (capability === undefined) throw invalidArgument("volume_capability is missing");
    const problem = objection(capability);
    if (problem !== undefined) throw invalidArgument(problem);
    await locks.run(id, call.signal, () =>
      dct.call(async (client) => {
        const { environment_id: place, tags } = await requireVdb(client, id, call.signal);
        call.tell({ claim: claimIn(tags) });
        const environment = place === undefined ? undefined : await client.getEnvironment(place, { signal: call.signal });
        const node = environment === undefined ? undefined : nodeOf(environment);
        if (node !== wanted)
          throw notFound(`node ${wanted} does not have the data of VDB ${id}: it is on node ${node ?? "unknown"}`);
        await enableVdb(client, id, true, call);
      }, call.signal),
    );
    return {};
  };
