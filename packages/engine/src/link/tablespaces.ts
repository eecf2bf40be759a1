/** Where the tablespaces of a source lie here: in its data folder, so that they are in each clone whole and wherever it is mounted. */
import { lchown, readdir, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { dataOwner } from "./owner.ts";

/** Below the data folder. A source may have folders of its own there, but none of this name. */
const tablespacesFolder = "vdb-tablespaces";
const linksFolder = "pg_tblspc";

/** Below the data folder, of a tablespace by its OID. */
export const folderOfTablespace = (oid: string): string => join(tablespacesFolder, oid);

/** The OIDs of the tablespaces that a data folder has; none of what is not there yet. */
export async function tablespacesIn(dataFolder: string): Promise<readonly string[]> {
  const names = await readdir(join(dataFolder, linksFolder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => /^\d+$/u.test(name)).toSorted();
}

/**
 * Makes the folders of these tablespaces those that the data folder uses. The links are relative: an absolute one would lead out of a
 * clone, into its origin. Without the source's own map a server leaves the links as they are.
 */
export async function linkTablespaces(dataFolder: string, oids: readonly string[]): Promise<void> {
  await rm(join(dataFolder, "tablespace_map"), { force: true });
  for (const oid of oids) {
    const link = join(dataFolder, linksFolder, oid);
    await rm(link, { recursive: true, force: true });
    await symlink(join("..", folderOfTablespace(oid)), link);
    await lchown(link, dataOwner.uid, dataOwner.gid);
  }
}

/** PostgreSQL would make up an empty folder in the place of one that is missing, and run on. */
export async function requireTablespaces(dataFolder: string): Promise<void> {
  for (const oid of await tablespacesIn(dataFolder)) {
    const found = await stat(join(dataFolder, linksFolder, oid)).catch(() => undefined);
    if (found?.isDirectory() !== true)
      throw new Failure(`the data of tablespace ${oid} is missing: ${linksFolder}/${oid} leads nowhere`);
  }
}
