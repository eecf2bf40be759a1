import { status } from "@grpc/grpc-js";
import type { Handler } from "../grpc/handler.ts";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import type { ControllerVolumes } from "./create-volume.ts";

/** Whether a volume that is there can be used in the ways asked for. */
export const validateVolumeCapabilities =
  ({ dct }: ControllerVolumes): Handler =>
  async (message, { signal }) => {
    const id = message.string("volumeId");
    if (id === "") throw invalidArgument("volume_id is missing");
    const capabilities = message.messages("volumeCapabilities");
    if (capabilities.length === 0) throw invalidArgument("volume_capabilities are missing");
    const vdb = await dct.call(async (client) => await client.getVdb(id, { signal }), signal);
    if (vdb === undefined) throw new RpcError(status.NOT_FOUND, `there is no VDB ${id}`);
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
