/** The engine's pool, as its node has it. */
import { inNode } from "@vdb/cluster";

export const poolDir = "/var/lib/delphix-engine/pool";

/** `timeflows/<id>` and the like, one a line. */
export const inPool = (): Promise<string> => inNode(["find", poolDir, "-mindepth", "2", "-maxdepth", "2", "-printf", "%P\\n"]);

/** `btrfs` or `xfs`. */
export const poolFileSystem = async (): Promise<string> =>
  (await inNode(["stat", "--file-system", "--format=%T", poolDir])).trim();
