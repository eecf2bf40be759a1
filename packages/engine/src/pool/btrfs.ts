import { CommandFailed, runCommand } from "../command.ts";
import type { FileSystem } from "./file-system.ts";
import { poolFolder } from "./folder.ts";
import { type Pool, TooLittleSpace } from "./pool.ts";

/** The root folder of every btrfs subvolume has this inode number (BTRFS_FIRST_FREE_OBJECTID). */
const subvolumeInode = 256;

/**
 * A pool on a mounted btrfs: every name is a subvolume, a clone is a snapshot of one, a stable path is a symbolic link.
 */
export function btrfsPool(folder: string, imageFile: string): Pool {
  const { removePath, ...shared } = poolFolder(folder, imageFile, (found) => found.isDirectory() && found.ino === subvolumeInode);
  const { pathOf, has } = shared;
  const btrfs = async (...args: readonly string[]): Promise<string> => {
    try {
      return await runCommand("btrfs", args);
    } catch (error) {
      if (error instanceof CommandFailed && error.stderr.includes("No space left on device"))
        throw new TooLittleSpace(folder, await shared.freeBytes(), 1, args.slice(0, 2).join(" "));
      throw error;
    }
  };

  const destroy = async (path: string): Promise<void> => void (await btrfs("subvolume", "delete", "--commit-after", path));
  /** A pod may make subvolumes inside of its own, also read-only ones: what holds others can then not be deleted. */
  const destroyNested = async (path: string): Promise<void> => {
    const nested = await subvolumesIn(path);
    for (const one of [path, ...nested]) await btrfs("property", "set", one, "ro", "false");
    for (const one of nested) await destroy(one);
  };

  return {
    ...shared,
    freeBytes: async (when = "now") => {
      if (when === "settled") await settle(folder);
      return await shared.freeBytes();
    },
    create: async (name) => void (await btrfs("subvolume", "create", pathOf(name))),
    clone: async (from, to, mode) => {
      // `btrfs subvolume snapshot` into an existing folder would put the copy inside it, under the origin's name.
      if (await has(to)) throw new Error(`${pathOf(to)} already exists`);
      await btrfs("subvolume", "snapshot", ...(mode === "readOnly" ? ["-r"] : []), pathOf(from), pathOf(to));
    },
    remove: async (name) => {
      if ((await removePath(name)) || !(await has(name))) return;
      await destroy(pathOf(name)).catch(async (error: unknown) => {
        if (!(await has(name))) return; // by a job that removes it, too
        if (!(error instanceof CommandFailed && error.stderr.includes("Directory not empty"))) throw error;
        await destroyNested(pathOf(name));
        await destroy(pathOf(name));
      });
    },
    bytes: async (name) => {
      const [total = 0, exclusive = 0] =
        (await btrfs("filesystem", "du", "--raw", "-s", pathOf(name)))
          .trim()
          .split("\n")
          .at(-1)
          ?.trim()
          .split(/\s+/u)
          .map(Number) ?? [];
      if (!Number.isSafeInteger(total) || !Number.isSafeInteger(exclusive))
        throw new Error(`cannot read the answer of btrfs filesystem du ${pathOf(name)}`);
      return { total, exclusive };
    },
  };
}

/** Subvolumes below a folder, the deepest first. */
async function subvolumesIn(folder: string): Promise<readonly string[]> {
  const wanted = ["-depth", "-mindepth", "1", "-type", "d", "-inum", String(subvolumeInode), "-print0"];
  return (await runCommand("find", [folder, ...wanted])).split("\0").filter((path) => path !== "");
}

/** The longest wait for removed subvolumes to be cleaned up. */
const settleMs = 15_000;

/** Removed subvolumes are cleaned up in the background, and what they held comes free with a transaction, up to 30 s later. */
async function settle(folder: string): Promise<void> {
  await runCommand("btrfs", ["filesystem", "sync", folder]);
  const patience = AbortSignal.timeout(settleMs);
  try {
    await runCommand("btrfs", ["subvolume", "sync", folder], { signal: patience });
  } catch (error) {
    if (!patience.aborted) throw error;
  }
  await runCommand("btrfs", ["filesystem", "sync", folder]);
}

export const btrfsFileSystem: FileSystem = {
  make: async (file, uuid) => void (await runCommand("mkfs.btrfs", ["--quiet", "--uuid", uuid, "--label", "delphix-pool", file])),
  uuid: async (mountPoint) => {
    const [, uuid] = /uuid: ([0-9a-f-]{36})/u.exec(await runCommand("btrfs", ["filesystem", "show", mountPoint])) ?? [];
    if (uuid === undefined) throw new Error(`btrfs filesystem show names no uuid for ${mountPoint}`);
    return uuid;
  },
  requireClones: async () => undefined,
  sizeBytes: async (mountPoint) => {
    const show = await runCommand("btrfs", ["filesystem", "show", "--raw", mountPoint]);
    return Number(/devid +1 size (\d+)/u.exec(show)?.[1]);
  },
  grow: async (mountPoint) => void (await runCommand("btrfs", ["filesystem", "resize", "max", mountPoint])),
};
