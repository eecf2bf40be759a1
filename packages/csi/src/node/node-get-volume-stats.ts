import { statfs } from "node:fs/promises";
import { resolve } from "node:path";
import type { Handler } from "../grpc/handler.ts";
import { invalidArgument, notFound } from "../grpc/rpc-error.ts";
import { volumeIdOf } from "../volume-id.ts";
import { mountedAt } from "./mountinfo.ts";
import type { NodeVolumes } from "./node-publish-volume.ts";

/**
 * How full a volume is: the figures of its pool, because a volume can grow as long as the pool has room. They cost one system call,
 * and a pool that runs full is seen on every volume in it. btrfs makes inodes as it needs them, and counts none: 0 of 0.
 */
export const nodeGetVolumeStats =
  ({ mounts }: Pick<NodeVolumes, "mounts">): Handler =>
  async (message) => {
    const id = volumeIdOf(message);
    const path = message.string("volumePath");
    if (path === "") throw invalidArgument("volume_path is missing");
    // What is below an unmounted path is the node's own disk.
    if (path !== resolve(path) || mountedAt(await mounts.list(), path) === undefined)
      throw notFound(`volume ${id} is not mounted at ${path}`);
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
    return {
      usage: [
        { unit: "BYTES", total: blocks * bsize, used: (blocks - bfree) * bsize, available: bavail * bsize },
        { unit: "INODES", total: files, used: files - ffree, available: ffree },
      ],
    };
  };
