import { btrfsPool } from "./btrfs.ts";
import type { FileSystemName } from "./file-system.ts";
import type { Pool, PoolPlace } from "./pool.ts";
import { sweepXfs, xfsPool } from "./xfs.ts";

/** The pool that is mounted there, as it is used from now on by this process alone. */
export async function openPool({ mountPoint, imageFile }: PoolPlace, fileSystem: FileSystemName): Promise<Pool> {
  if (fileSystem === "btrfs") return btrfsPool(mountPoint, imageFile);
  await sweepXfs(mountPoint);
  return xfsPool(mountPoint, imageFile);
}
