/** What pools of all file systems have in common: names below one mounted folder, and links that lead to them. */
import { existsSync, type Stats } from "node:fs";
import { lstat, readdir, statfs } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { pointTo, removeLink, targetOf } from "./link.ts";
import { mountsOfRoot } from "./mounts-of-root.ts";
import { markerFile, type Pool } from "./pool.ts";

type Shared = Pick<Pool, "pathOf" | "has" | "list" | "swap" | "leadsTo" | "mountsOf">;

export interface PoolFolderTools extends Shared {
  /** True: it was a stable path, and is gone. */
  readonly removePath: (name: string) => Promise<boolean>;
  freeBytes(): Promise<number>;
}

/** `isDataset`: whether what is found under a name is one of the pool's own. */
export function poolFolder(folder: string, imageFile: string, isDataset: (found: Stats) => boolean): PoolFolderTools {
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
    return found !== undefined && isDataset(found);
  };
  return {
    pathOf,
    has,
    list: async (part) => {
      await lookAt(part);
      return (await readdir(pathOf(part))).toSorted();
    },
    freeBytes: async () => {
      // The image is sparse: what the file system in it calls free may not exist on the disk below.
      const [inside, below] = await Promise.all([statfs(folder), statfs(dirname(imageFile))]);
      return Math.min(inside.bavail * inside.bsize, below.bavail * below.bsize);
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
    removePath: async (name) => {
      if ((await lookAt(name))?.isSymbolicLink() !== true) return false;
      await removeLink(pathOf(name));
      return true;
    },
  };
}

function absentAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
