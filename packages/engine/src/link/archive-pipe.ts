/** Takes the archive that pg_basebackup writes while it is being written, so that it never lies anywhere. */
import { closeSync, constants, linkSync, openSync } from "node:fs";
import { chown, mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { dataOwner } from "./owner.ts";

export interface ArchivePipe extends AsyncDisposable {
  /** For pg_basebackup: empty, which it looks for before it connects. The WAL's archive is left here. */
  readonly folder: string;
  /** Puts the pipe where the program is about to create the archive. False: it has done so already. */
  place(): boolean;
  readonly archive: AsyncIterable<Buffer>;
  /** Nobody writes any more: the archive ends. */
  end(): void;
}

/**
 * pg_basebackup streams the WAL beside the archive only into a folder, which has to be empty at first, and not to its output. So the
 * archive's name in that folder becomes a pipe as soon as the program has looked, long before the source has sent anything.
 */
export async function archivePipe(beside: string): Promise<ArchivePipe> {
  const [folder, pipe] = [join(beside, "archive"), join(beside, "archive.pipe")];
  const remove = async (): Promise<void> => {
    for (const path of [folder, pipe]) await rm(path, { recursive: true, force: true });
  };
  await remove();
  await mkdir(folder, { mode: 0o700 });
  await runCommand("mkfifo", ["--mode=600", pipe]);
  for (const path of [folder, pipe]) await chown(path, dataOwner.uid, dataOwner.gid);
  const archive = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  // A pipe without a writer has ended.
  let writer: number | undefined = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const end = (): void => {
    if (writer !== undefined) closeSync(writer);
    writer = undefined;
  };
  return {
    folder,
    place: () => {
      try {
        linkSync(pipe, join(folder, "base.tar"));
        return true;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
        throw error;
      }
    },
    archive,
    end,
    [Symbol.asyncDispose]: async () => {
      end();
      archive.destroy();
      await remove();
    },
  };
}
