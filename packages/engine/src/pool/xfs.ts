import { mkdir, open, readdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { runCommand } from "../command.ts";
import { Failure } from "../failure.ts";
import { ChangedMeanwhile, copyTree } from "./copy-tree.ts";
import type { FileSystem } from "./file-system.ts";
import { poolFolder } from "./folder.ts";
import { type Pool, TooLittleSpace } from "./pool.ts";

/** What lies in `work` while a folder comes or goes; what an engine that was killed has left of it is nobody's. */
const [coming, going] = [".copy", ".gone"];

/** A busy database ends a checkpoint now and then, hardly in ten copies on end. */
const mostTries = 10;

/**
 * A pool on a mounted XFS: every name is a folder, a clone is a tree of files that share their blocks with the origin's. It is made
 * in `work` and renamed when it is whole. The files of a read-only one are immutable, for root too.
 */
export function xfsPool(folder: string, imageFile: string): Pool {
  const { removePath, ...shared } = poolFolder(folder, imageFile, (found) => found.isDirectory());
  const { pathOf, has } = shared;
  const besides = (name: string, suffix: string): string => pathOf(`work/${basename(name)}${suffix}`);

  const copy = async (from: string, draft: string): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        await destroy(draft);
        return await copyTree(from, draft);
      } catch (error) {
        if (isNoSpace(error)) throw new TooLittleSpace(folder, await shared.freeBytes(), 1, `a clone of ${from}`);
        if (!(error instanceof ChangedMeanwhile)) throw error;
        if (tries === mostTries)
          throw new Failure(
            `the database in ${from} has ended a checkpoint during each of ${tries} attempts to copy it: raise its max_wal_size or checkpoint_timeout, or stop it for the snapshot`,
          );
      }
    }
  };

  return {
    ...shared,
    freeBytes: async (when = "now") => {
      if (when === "settled") await runCommand("sync", ["--file-system", folder]);
      return await shared.freeBytes();
    },
    create: (name) => mkdir(pathOf(name)),
    clone: async (from, to, mode) => {
      if (await has(to)) throw new Error(`${pathOf(to)} already exists`);
      const draft = besides(to, coming);
      try {
        await copy(pathOf(from), draft);
        if (mode === "readOnly") await mark(draft, "+i");
        await rename(draft, pathOf(to));
      } catch (error) {
        await destroy(draft);
        throw error;
      }
      // An immutable folder cannot be renamed.
      if (mode === "readOnly") await runCommand("chattr", ["+i", pathOf(to)]);
      // XFS writes its log in order: what came before this is on disk then, too.
      await flush(dirname(pathOf(to)));
    },
    remove: async (name) => {
      if ((await removePath(name)) || !(await has(name))) return;
      const aside = besides(name, going);
      await destroy(aside);
      await rename(pathOf(name), aside).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return; // by a job that removes it, too
        if (error.code !== "EPERM") throw error;
        await runCommand("chattr", ["-i", pathOf(name)]);
        await rename(pathOf(name), aside);
      });
      await flush(dirname(pathOf(name)));
      await destroy(aside);
    },
    bytes: async (name) => {
      const [total, exclusive] = (await runCommand("sh", ["-c", countExtents, pathOf(name)])).trim().split(" ").map(Number);
      if (total === undefined || exclusive === undefined || !Number.isSafeInteger(total) || !Number.isSafeInteger(exclusive))
        throw new Error(`cannot read the answer of filefrag for ${pathOf(name)}`);
      return { total, exclusive };
    },
  };
}

/** Removes what an engine that was killed has left half made and half removed. To be called before anything is made. */
export async function sweepXfs(folder: string): Promise<void> {
  const work = join(folder, "work");
  for (const name of await readdir(work)) if (name.endsWith(coming) || name.endsWith(going)) await destroy(join(work, name));
}

/** Everything in a folder becomes immutable, or no longer is; not the folder itself. Links have no such flag. */
async function mark(folder: string, flag: "+i" | "-i"): Promise<void> {
  const filesAndFolders = ["-mindepth", "1", "(", "-type", "f", "-o", "-type", "d", ")"];
  await runCommand("find", [folder, ...filesAndFolders, "-exec", "chattr", flag, "--", "{}", "+"]);
}

/** rm follows no link, whoever exchanges what meanwhile. */
async function destroy(path: string): Promise<void> {
  const remove = ["--recursive", "--force", "--one-file-system", "--", path];
  await runCommand("rm", remove).catch(async () => {
    await runCommand("chattr", ["-i", "--", path]);
    await mark(path, "-i");
    await runCommand("rm", remove);
  });
}

async function flush(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

const isNoSpace = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOSPC";

/** Sums the extents of all files, in bytes; those that others have too are marked. What is not on disk yet has none. */
const countExtents = `find "$0" -xdev -type f -print0 | xargs -0 -r filefrag -b1 -v 2>/dev/null |
  awk -F: '/^ *[0-9]+: +[0-9]+\\.\\. *[0-9]+:/ { total += $4; if ($NF !~ /shared/) own += $4 } END { printf "%.0f %.0f", total, own }'`;

export const xfsFileSystem: FileSystem = {
  // Without what kernels before 5.10 cannot mount (RHEL 8).
  make: async (file, uuid) => {
    const metadata = `reflink=1,bigtime=0,inobtcount=0,uuid=${uuid}`;
    await runCommand("mkfs.xfs", ["-q", "-m", metadata, "-L", "delphix-pool", file]);
  },
  uuid: async (_mountPoint, device) => {
    const uuid = (await runCommand("blkid", ["--probe", "--match-tag", "UUID", "--output", "value", device])).trim();
    if (uuid === "") throw new Error(`blkid names no uuid for ${device}`);
    return uuid;
  },
  requireClones: async (mountPoint) => {
    if ((await geometry(mountPoint, /\breflink=(\d)/u)) !== 1)
      throw new Error(
        `the xfs at ${mountPoint} was made without reflinks, so its files cannot share blocks: make it with mkfs.xfs -m reflink=1`,
      );
  },
  sizeBytes: async (mountPoint) =>
    (await geometry(mountPoint, /data .* bsize=(\d+)/u)) * (await geometry(mountPoint, /data .* blocks=(\d+)/u)),
  grow: async (mountPoint) => void (await runCommand("xfs_growfs", ["-d", mountPoint])),
};

const geometry = async (mountPoint: string, figure: RegExp): Promise<number> =>
  Number(figure.exec(await runCommand("xfs_growfs", ["-n", mountPoint]))?.[1]);
