/** A copy of a folder whose files share their blocks with the origin's (reflinks): it costs a step for each file, and no bytes. */
import { constants } from "node:fs";
import { chmod, copyFile, type FileHandle, lchown, mkdir, open, readdir, readlink, symlink } from "node:fs/promises";

/** A checkpoint of the database in the folder has ended meanwhile, so that the copy's parts may not fit together. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** O_NONBLOCK: opening a pipe would wait for its other end. */
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const copyFlags = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE;

/** As many files at a time as Node.js has threads for. */
const lanes = 4;

/** What holds the database, and in it the WAL. */
const lastOnes: ReadonlySet<string> = new Set(["data", "pg_wal"]);

/**
 * Whoever runs on the origin may put links in the place of folders at any moment, and the engine may read everything: so each entry
 * is opened below the open folder that it lies in, and never through a link.
 *
 * Each file is copied as it is at one instant, but the files one after the other. That is enough for a running PostgreSQL, in this order:
 * pg_wal comes last, and PostgreSQL writes no page before the WAL of its change; so the copied WAL covers every page that was copied before.
 * It goes back to the checkpoint in pg_control, as long as that is the same before and after: only then WAL is recycled.
 * What vanishes meanwhile is left out: the WAL says that it was dropped. So are sockets, pipes and devices, which hold no data.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  await copyFolder(Buffer.from(from), Buffer.from(to));
}

async function copyFolder(from: Buffer, to: Buffer): Promise<void> {
  await using folder = await open(from, folderFlags);
  const { uid, gid, mode } = await folder.stat();
  await mkdir(to, { mode: 0o700 });
  const checkpoint = await controlFileIn(folder);
  const entries = await readdir(insideOf(folder), { withFileTypes: true, encoding: "buffer" });
  const [last, first] = [entries.filter(isLast), entries.filter((entry) => !isLast(entry))];
  for (const part of [first, last])
    await forEach(part, async (entry) => {
      const [source, target] = [joined(insideOf(folder), entry.name), joined(to, entry.name)];
      if (entry.isDirectory()) await copyFolder(source, target).catch(vanished(source));
      else if (entry.isSymbolicLink()) await copyLink(source, target, { uid, gid });
      else if (entry.isFile()) await copyOne(source, target);
    });
  if (checkpoint !== undefined && (await controlFileIn(folder))?.equals(checkpoint) !== true) throw new ChangedMeanwhile();
  await lchown(to, uid, gid);
  await chmod(to, mode & 0o7777);
}

const isLast = ({ name }: { readonly name: Buffer }): boolean => lastOnes.has(name.toString());

async function copyOne(source: Buffer, target: Buffer): Promise<void> {
  const opened = await open(source, fileFlags).catch(vanished(source));
  if (opened === undefined) return;
  await using file = opened;
  const { uid, gid } = await file.stat();
  await copyFile(insideOf(file), target, copyFlags);
  await lchown(target, uid, gid);
}

/** A link's owner decides nothing; its folder's is the most likely. */
async function copyLink(source: Buffer, target: Buffer, { uid, gid }: { readonly uid: number; readonly gid: number }) {
  const leadsTo = await readlink(source, "buffer").catch(vanished(source));
  if (leadsTo === undefined) return;
  await symlink(leadsTo, target);
  await lchown(target, uid, gid);
}

/** What PostgreSQL writes at the end of each checkpoint; undefined: the folder holds no database. */
async function controlFileIn(folder: FileHandle): Promise<Buffer | undefined> {
  const path = joined(insideOf(folder), Buffer.from("global"));
  const global = await open(path, folderFlags).catch(() => undefined);
  if (global === undefined) return undefined;
  await using opened = global;
  const control = await open(joined(insideOf(opened), Buffer.from("pg_control")), fileFlags).catch(() => undefined);
  if (control === undefined) return undefined;
  await using file = control;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8192), 0, 8192, 0);
  return buffer.subarray(0, bytesRead);
}

/** The kernel's name for what is open: it stays the same whatever is put in its place. */
const insideOf = ({ fd }: FileHandle): Buffer => Buffer.from(`/proc/self/fd/${fd}`);
const joined = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from("/"), name]);

/** Undefined when it is the source that is gone. */
const vanished =
  (source: Buffer) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== "ENOENT" || error.path !== source.toString()) throw error;
    return undefined;
  };

/** Waits for all that has begun, also after a failure: nothing is written into the copy any more when this throws. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
