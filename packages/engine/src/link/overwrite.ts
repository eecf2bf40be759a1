/** Makes a folder equal to a tar archive, and writes only what differs: on a clone the rest stays shared with its origin. */
import { constants, type Stats } from "node:fs";
import { chmod, chown, type FileHandle, lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import { readTar, type TarEntry } from "./tar.ts";

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Overwriting {
  /** The archive's entries take the place of what is there under their names. Archives of different places can come at once. */
  take(archive: AsyncIterable<Buffer>, below?: string): Promise<void>;
  /** Removes what no archive has named. */
  removeOthers(): Promise<void>;
  /** What has come, and what of it was written. */
  readonly bytes: { read: number; written: number };
}

/** What has come of a file, and what was there. */
type Windows = readonly [Buffer, Buffer];

/** A page of PostgreSQL. */
const blockBytes = 8192;
const windowBytes = 1 << 20;
const zeros = Buffer.alloc(blockBytes);

export function overwriting(folder: string, owner: Owner): Overwriting {
  const seen = new Set([""]);
  const bytes = { read: 0, written: 0 };

  const takeFile = async (path: string, { mode, size, content }: TarEntry, [window, former]: Windows): Promise<void> => {
    const found = await lookAt(path);
    if (found !== undefined && !found.isFile()) await rm(path, { recursive: true });
    // Whoever has run on the data may have put a link there, which must not lead the engine elsewhere.
    await using file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    const { size: formerSize, ...is } = await file.stat();
    if (is.uid !== owner.uid || is.gid !== owner.gid) await file.chown(owner.uid, owner.gid);
    if ((is.mode & 0o7777) !== mode) await file.chmod(mode);
    let [at, filled] = [0, 0];
    const flush = async (): Promise<void> => {
      const known = await readFully(file, former.subarray(0, Math.max(0, Math.min(filled, formerSize - at))), at);
      for (const [from, to] of differing(window.subarray(0, filled), former.subarray(0, known))) {
        await writeFully(file, window.subarray(from, to), at + from);
        bytes.written += to - from;
      }
      bytes.read += filled;
      [at, filled] = [at + filled, 0];
    };
    for await (const piece of content)
      for (let taken = 0; taken < piece.length; ) {
        const count = piece.copy(window, filled, taken);
        [taken, filled] = [taken + count, filled + count];
        if (filled === windowBytes) await flush();
      }
    await flush();
    if (formerSize > size || (await file.stat()).size < size) await file.truncate(size);
  };

  const takeFolder = async (path: string, mode: number): Promise<void> => {
    let found = await lookAt(path);
    if (found?.isDirectory() === false) {
      await rm(path);
      found = undefined;
    }
    if (found === undefined) await mkdir(path, { mode: 0o700, recursive: true }); // another archive may make it at this moment
    await chown(path, owner.uid, owner.gid);
    await chmod(path, mode);
  };

  return {
    bytes,
    take: async (archive, below = "") => {
      const windows = [Buffer.allocUnsafe(windowBytes), Buffer.allocUnsafe(windowBytes)] as const;
      for (const path of chainOf(below))
        if (!seen.has(path)) {
          await takeFolder(join(folder, path), 0o700);
          seen.add(path);
        }
      for await (const entry of readTar(archive)) {
        const path = join(below, entry.path);
        const parent = dirname(path) === "." ? "" : dirname(path);
        // A folder that an archive has named is none that a link leads to.
        if (!seen.has(parent)) throw new Failure(`the base backup contains ${path} without its folder`);
        if (entry.kind === "link")
          throw new Failure(
            `the base backup contains a link, ${path}, which the engine does not support: replace it by what it leads to`,
          );
        if (entry.kind === "folder") await takeFolder(join(folder, path), entry.mode);
        else await takeFile(join(folder, path), entry, windows);
        seen.add(path);
      }
    },
    removeOthers: async () => {
      const clean = async (below: string): Promise<void> => {
        for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
          const path = join(below, entry.name);
          if (!seen.has(path)) await rm(join(folder, path), { recursive: true });
          else if (entry.isDirectory()) await clean(path);
        }
      };
      await clean("");
    },
  };
}

/** `a/b/c` lies in `a` and in `a/b`. */
const chainOf = (path: string): readonly string[] =>
  path === "" ? [] : path.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/"));

/** The runs of blocks that have to be written. What is not there yet reads as zeros. */
export function* differing(wanted: Buffer, former: Buffer): Generator<readonly [number, number]> {
  let begin: number | undefined;
  for (let from = 0; from < wanted.length; from += blockBytes) {
    const to = Math.min(from + blockBytes, wanted.length);
    const is = from >= former.length ? zeros.subarray(0, to - from) : former.subarray(from, Math.min(to, former.length));
    const isSame = is.equals(wanted.subarray(from, to));
    if (!isSame) begin ??= from;
    else if (begin !== undefined) {
      yield [begin, from];
      begin = undefined;
    }
  }
  if (begin !== undefined) yield [begin, wanted.length];
}

async function readFully(file: FileHandle, into: Buffer, at: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function writeFully(file: FileHandle, from: Buffer, at: number): Promise<void> {
  for (let done = 0; done < from.length; ) done += (await file.write(from, done, from.length - done, at + done)).bytesWritten;
}

async function lookAt(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
