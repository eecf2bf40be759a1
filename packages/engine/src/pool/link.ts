/** Symbolic links that can be pointed elsewhere without ever leading nowhere. */
import { open, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";

/**
 * rename(2) puts the new link in the old one's place in one step, and the folder is flushed before this returns: a job that records the
 * swap afterwards cannot be ahead of the disk. `draft` may be left by a crash, and is made anew.
 */
export async function pointTo(path: string, target: string, draft: string): Promise<void> {
  await rm(draft, { force: true });
  // Relative, so that it means the same wherever the pool is mounted.
  await symlink(relative(dirname(path), target), draft);
  await rename(draft, path);
  await flush(dirname(path));
}

export const targetOf = async (path: string): Promise<string> => resolve(dirname(path), await readlink(path));

export async function removeLink(path: string): Promise<void> {
  await rm(path, { force: true });
  await flush(dirname(path));
}

async function flush(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}
