import { existsSync, type Stats } from "node:fs";
import { lstat, readdir, statfs } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { CommandFailed, runCommand } from "../command.ts";
import { pointTo, removeLink, targetOf } from "./link.ts";
import { markerFile } from "./mount.ts";
import { mountsOfRoot } from "./mounts-of-root.ts";
import { type Pool, TooLittleSpace } from "./pool.ts";

/** The root folder of every btrfs subvolume has this inode number (BTRFS_FIRST_FREE_OBJECTID). */
const subvolumeInode = 256;

/**
 * A pool on a mounted btrfs: every name is a subvolume, a clone is a snapshot of one, a stable path is a symbolic link.
 */
export function btrfsPool(folder: string, imageFile: string): Pool {
  const pathOf = (name: string): string => join(folder, name);
  /** Never through a link: what lies behind one has another name. */
  const lookAt = async (name: string): Promise<Stats | undefined> => {
    const found = await lstat(pathOf(name)).catch(absentAsUndefined);
    // On an unmounted pool everything would seem to be gone, and jobs would record it so.
    if (found === undefined && !existsSync(pathOf(markerFile)))
      throw new Error(`the pool is not mounted: ${pathOf(markerFile)} is missing`);
    return found;
  };
  const has = async (name: string): Promise<boolean> => {
    const found = await lookAt(name);
    return found !== undefined && found.isDirectory() && found.ino === subvolumeInode;
  };
  const freeBytes: Pool["freeBytes"] = async (when = "now") => {
    if (when === "settled") await settle(folder);
    // The image is sparse: what the file system in it calls free may not exist on the disk below.
    const [inside, below] = await Promise.all([statfs(folder), statfs(dirname(imageFile))]);
    return Math.min(inside.bavail * inside.bsize, below.bavail * below.bsize);
  };
  const btrfs = async (...args: readonly string[]): Promise<string> => {
    try {
      return await runCommand("btrfs", args);
    } catch (error) {
      if (error instanceof CommandFailed && error.stderr.includes("No space left on device"))
        throw new TooLittleSpace(folder, await freeBytes(), 1, args.slice(0, 2).join(" "));
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
    pathOf,
    has,
    list: async (part) => {
      await lookAt(part);
      return (await readdir(pathOf(part))).toSorted();
    },
    freeBytes,
    create: async (name) => void (await btrfs("subvolume", "create", pathOf(name))),
    clone: async (from, to, mode) => {
      // `btrfs subvolume snapshot` into an existing folder would put the copy inside it, under the origin's name.
      if (await has(to)) throw new Error(`${pathOf(to)} already exists`);
      await btrfs("subvolume", "snapshot", ...(mode === "readOnly" ? ["-r"] : []), pathOf(from), pathOf(to));
    },
    swap: async (path, to) => {
      if (!(await has(to))) throw new Error(`${pathOf(to)} does not exist: nothing can lead to it`);
      await pointTo(pathOf(path), pathOf(to), pathOf(`work/${basename(path)}.link`));
    },
    leadsTo: async (path) => {
      const found = await lookAt(path);
      return found?.isSymbolicLink() === true ? relative(folder, await targetOf(pathOf(path))) : undefined;
    },
    mountsOf: (name) => mountsOfRoot(`/${name}`),
    remove: async (name) => {
      if ((await lookAt(name))?.isSymbolicLink() === true) return await removeLink(pathOf(name));
      if (!(await has(name))) return;
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

function absentAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
