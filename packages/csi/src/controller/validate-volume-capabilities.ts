import type { Handler } from "../grpc/handler.ts";
import type { Message } from "../grpc/message.ts";
import { invalidArgument } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import { volumeIdOf } from "../volume-id.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { requireVdb } from "./require-vdb.ts";

/** Whether a volume that is there can be used in the ways asked for. */
export const validateVolumeCapabilities =
  ({ dct }: ControllerVolumes): Handler =>
  async (message, { signal }) => {
    const id = volumeIdOf(message);
    const capabilities = message.messages("volumeCapabilities");
    if (capabilities.length === 0) throw invalidArgument("volume_capabilities are missing");
    await dct.call(async (client) => await requireVdb(client, id, signal), signal);
    const problems = capabilities.flatMap((one) => objection(one) ?? []);
    return problems.length > 0 ? { message: problems.join("; ") } : { confirmed: { volumeCapabilities: capabilities.map(echo) } };
  };

/** Confirmed means confirmed as asked, so the answer repeats the question. */
const echo = (capability: Message): object => {
  const mount = capability.message("mount");
  return {
    mount: { fsType: mount?.string("fsType") ?? "", volumeMountGroup: mount?.string("volumeMountGroup") ?? "" },
    accessMode: { mode: capability.message("accessMode")?.string("mode") ?? "UNKNOWN" },
  };
};
