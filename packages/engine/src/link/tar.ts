/** Reads a tar archive of pg_basebackup as it comes. PostgreSQL writes plain ustar headers: no long names, no extensions. */
import { Failure } from "../failure.ts";

export interface TarEntry {
  /** Below the archive's root, without `.` and `..`. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly mode: number;
  readonly size: number;
  /** To be read, or left, before the next entry is asked for. */
  readonly content: AsyncIterable<Buffer>;
}

const blockBytes = 512;
const kinds: Readonly<Record<string, TarEntry["kind"]>> = { "0": "file", "\0": "file", "5": "folder", "2": "link" };

/** Ends with the bytes. Throws when they end before the archive's end mark. */
export async function* readTar(bytes: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    yield* entriesOf(iterator);
    // Whoever writes may not have written all of the mark yet.
    while ((await iterator.next()).done !== true);
  } finally {
    await iterator.return?.(); // an open file would keep the bytes of a removed folder
  }
}

async function* entriesOf(iterator: AsyncIterator<Buffer>): AsyncGenerator<TarEntry> {
  const source = piecesOf(iterator);
  for (;;) {
    const header = await source.exactly(blockBytes);
    if (header.every((byte) => byte === 0)) return;
    const { padding, ...entry } = decodeHeader(header);
    let left = entry.size;
    const content = async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const piece = await source.upTo(left);
        left -= piece.length;
        yield piece;
      }
    };
    yield { ...entry, content: content() };
    while (left > 0) left -= (await source.upTo(left)).length;
    await source.exactly(padding);
  }
}

function decodeHeader(header: Buffer): Omit<TarEntry, "content"> & { readonly padding: number } {
  const told = header.toString("latin1", 148, 156);
  const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (octal(told) !== sum) throw new Failure("the base backup is not a tar archive: the checksum of a header is wrong");
  const name = textAt(header, 0, 100);
  const kind = kinds[header.toString("latin1", 156, 157)];
  if (kind === undefined) throw new Failure(`the base backup contains ${name}, which is no file, folder or link`);
  const size = kind === "file" ? sizeAt(header) : 0;
  return {
    path: pathOf(name),
    kind,
    mode: octal(header.toString("latin1", 100, 108)) & 0o777,
    size,
    padding: (blockBytes - (size % blockBytes)) % blockBytes,
  };
}

/** What is larger than twelve octal digits can say stands there as a number to the base of 256. */
const sizeAt = (header: Buffer): number =>
  header.readUInt8(124) >= 0x80 ? header.readUIntBE(130, 6) : octal(header.toString("latin1", 124, 136));
const octal = (digits: string): number => Number.parseInt(digits.replaceAll("\0", " ").trim() || "0", 8);
const textAt = (header: Buffer, from: number, to: number): string => {
  const field = header.subarray(from, to);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? field.length : end);
};

/** A name that leads out of the folder is not PostgreSQL's. */
function pathOf(name: string): string {
  const parts = name.split("/").filter((part, i, all) => part !== "." && !(part === "" && i === all.length - 1));
  if (parts.some((part) => part === "" || part === ".."))
    throw new Failure(`the base backup names a file outside of it: ${name}`);
  return parts.join("/");
}

function piecesOf(iterator: AsyncIterator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0);
  const upTo = async (count: number): Promise<Buffer> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) throw new Failure("the base backup ended in the middle");
      rest = next.value;
    }
    const piece = rest.subarray(0, count);
    rest = rest.subarray(piece.length);
    return piece;
  };
  const exactly = async (count: number): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for (let left = count; left > 0; ) {
      const piece = await upTo(left);
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  };
  return { upTo, exactly };
}
