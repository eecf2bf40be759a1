import type { Message } from "./grpc/message.ts";

/** The modes under which one node alone uses a volume. The data lies on that node: there is no second one to share it with. */
const singleNodeModes: ReadonlySet<string> = new Set([
  "SINGLE_NODE_WRITER",
  "SINGLE_NODE_READER_ONLY",
  "SINGLE_NODE_SINGLE_WRITER",
  "SINGLE_NODE_MULTI_WRITER",
]);

/** Why a volume cannot be used in this way; undefined when it can. */
export function objection(capability: Message): string | undefined {
  if (capability.message("block") !== undefined)
    return "the driver does not support volumeMode Block, because a VDB is a folder: use volumeMode Filesystem";
  if (capability.message("mount") === undefined) return "volume_capability.access_type is missing";
  const mode = capability.message("accessMode")?.string("mode") ?? "UNKNOWN";
  if (!singleNodeModes.has(mode))
    return `the driver does not support access mode ${mode}, because one node uses a volume: use ReadWriteOnce or ReadWriteOncePod`;
  return undefined;
}
