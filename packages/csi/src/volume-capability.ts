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
    return "volumeMode Block is not supported: a virtual database is a folder; use volumeMode Filesystem";
  if (capability.message("mount") === undefined) return "volume_capability.access_type is missing";
  const mode = capability.message("accessMode")?.string("mode") ?? "UNKNOWN";
  if (!singleNodeModes.has(mode))
    return `access mode ${mode} is not supported: a volume is used by one node; use ReadWriteOnce or ReadWriteOncePod`;
  return undefined;
}
