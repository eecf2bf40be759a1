/** Takes the archives that pg_basebackup writes while they are being written, so that they never lie anywhere. */
import { closeSync, constants, linkSync, openSync, readdirSync } from "node:fs";
import { chown, mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { runCommand } from "../command.ts";
import { dataOwner } from "./owner.ts";

export interface ArchivePipes extends AsyncDisposable {
  /** For pg_basebackup: empty, which it looks for before it connects. The WAL's archive is left here. */
  readonly folder: string;
  /** Puts the pipes where the program is about to create its archives. False: it has begun to do so. */
  place(): boolean;
  /** By the name that pg_basebackup gives them. */
  readonly archives: ReadonlyMap<string, AsyncIterable<Buffer>>;
  /** Whether the program writes archives that are none of these. */
  hasOthers(): boolean;
  /** Nobody writes any more: the archives end. */
  end(): void;
}

/** pg_basebackup's name for what it streams beside the rest. */
export const walArchive = "pg_wal.tar";

/**
 * pg_basebackup streams the WAL beside the archives only into a folder, which has to be empty at first, and not to its output. So the
 * archives' names in that folder become pipes as soon as the program has looked, long before the source has sent anything.
 */
export async function archivePipes(beside: string, names: readonly string[]): Promise<ArchivePipes> {
  const [folder, pipes] = [join(beside, "archive"), join(beside, "archive.pipes")];
  const remove = async (): Promise<void> => {
    for (const path of [folder, pipes]) await rm(path, { recursive: true, force: true });
  };
  await remove();
  for (const path of [folder, pipes]) await mkdir(path, { mode: 0o700 });
  const paths = names.map((name) => join(pipes, name));
  await runCommand("mkfifo", ["--mode=600", ...paths]);
  for (const path of [folder, ...paths]) await chown(path, dataOwner.uid, dataOwner.gid);
  const readers = paths.map(
    (path) => new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false }),
  );
  // A pipe without a writer has ended.
  const writers = paths.map((path) => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  const end = (): void => {
    for (const writer of writers.splice(0)) closeSync(writer);
  };
  return {
    folder,
    place: () => names.every((name) => isLinked(join(pipes, name), join(folder, name))),
    archives: new Map(names.map((name, i) => [name, readers[i] ?? Readable.from([])])),
    hasOthers: () => readdirSync(folder).some((name) => name !== walArchive && !names.includes(name)),
    end,
    [Symbol.asyncDispose]: async () => {
      end();
      for (const reader of readers) reader.destroy();
      await remove();
    },
  };
}

/** False: the name is taken. */
function isLinked(pipe: string, place: string): boolean {
  try {
    linkSync(pipe, place);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
