/**
 * The end of the WAL that a standby has when its server starts. The server is sent its last segment again and writes over it, so a source
 * that was put back to an earlier state, and has gone another way since, would continue it unnoticed: on pages of a history that is not
 * the source's any more. So the segment is kept aside, and compared.
 */
import { constants } from "node:fs";
import { copyFile, link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

export interface KnownWal {
  readonly timeline: number;
  /** The last byte that is not zero lies before it. */
  readonly end: bigint;
  /** Whether the segment still begins as it did: for certain only when the source has sent all of it again, but once not, for good. */
  isSame(): Promise<boolean>;
}

/** Of the data in `folder`; undefined: there is none. */
export async function knownWal(folder: string, segmentBytes: number): Promise<KnownWal | undefined> {
  const [wal, aside] = [join(folder, "data/pg_wal"), join(folder, "known")];
  // A server that has ended before its source was compared has left what it was sent, which is not to be taken for what was known.
  const former = await keptIn(aside, segmentBytes);
  if (former !== undefined && !(await former.isSame())) return former;
  await former?.mend();
  await rm(aside, { recursive: true, force: true });
  const last = await lastUsed(wal);
  if (last === undefined) return undefined;
  await mkdir(aside, { mode: 0o700 });
  // The server removes it when it needs it no longer.
  await link(join(wal, last), join(aside, "now"));
  await copyFile(join(wal, last), join(aside, "copy"), constants.COPYFILE_FICLONE);
  await rename(join(aside, "copy"), join(aside, last)); // from here on it is whole
  const known = await keptIn(aside, segmentBytes);
  // Of the former timeline of a source the server has all; the next one's segment begins with the same.
  if (known !== undefined && !(await knowsLater(wal, known.timeline))) await known.spoil();
  return known;
}

interface Kept extends KnownWal {
  /**
   * Its last record is not whole any more, so that the server has to take it from the source. Of what it has already a WAL receiver does
   * not tell that it has come again; and at the end of a segment it would ask for the next one alone.
   */
  spoil(): Promise<void>;
  mend(): Promise<void>;
}

async function keptIn(aside: string, segmentBytes: number): Promise<Kept | undefined> {
  const [name] = segmentsOf(await readdir(aside).catch(() => []));
  if (name === undefined) return undefined;
  const former = join(aside, name);
  const [now, length] = [join(aside, "now"), await usedBytes(former)];
  const putLast = async (byte: number): Promise<void> => {
    await using file = await open(now, "r+");
    await file.write(Buffer.of(byte), 0, 1, length - 1);
  };
  return {
    timeline: Number.parseInt(name.slice(0, 8), 16),
    end: beginOf(name, segmentBytes) + BigInt(length),
    // A last byte that differs has another checksum before it.
    isSame: () => beginAlike(former, now, length - 1),
    spoil: () => putLast(0),
    mend: async () => await putLast(await byteAt(former, length - 1)),
  };
}

/** A server makes the next segment before there is anything to write into it. */
async function lastUsed(wal: string): Promise<string | undefined> {
  // By place; of one place, the newest timeline.
  const segments = segmentsOf(await readdir(wal)).toSorted((a, b) => `${b.slice(8)}${b}`.localeCompare(`${a.slice(8)}${a}`));
  for (const name of segments) if ((await usedBytes(join(wal, name))) > 0) return name;
  return undefined;
}

const knowsLater = async (wal: string, timeline: number): Promise<boolean> =>
  (await readdir(wal)).some((name) => name.endsWith(".history") && Number.parseInt(name, 16) > timeline);

const segmentsOf = (names: readonly string[]): readonly string[] => names.filter((name) => /^[0-9A-F]{24}$/u.test(name));

/** A name is timeline, upper half of the position, and number below it. */
export const beginOf = (name: string, segmentBytes: number): bigint =>
  (BigInt(`0x${name.slice(8, 16)}`) << 32n) + BigInt(`0x${name.slice(16)}`) * BigInt(segmentBytes);

const pieceBytes = 1 << 20;

async function usedBytes(path: string): Promise<number> {
  await using file = await open(path);
  const piece = Buffer.alloc(pieceBytes);
  let used = 0;
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, pieceBytes, at);
    if (bytesRead === 0) return used;
    const last = piece.subarray(0, bytesRead).findLastIndex((byte) => byte !== 0);
    if (last !== -1) used = at + last + 1;
    at += bytesRead;
  }
}

async function byteAt(path: string, at: number): Promise<number> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  return buffer.readUInt8();
}

async function beginAlike(one: string, other: string, length: number): Promise<boolean> {
  await using first = await open(one);
  await using second = await open(other);
  const [a, b] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)];
  for (let at = 0; at < length; at += pieceBytes) {
    const count = Math.min(pieceBytes, length - at);
    const [{ bytesRead: here }, { bytesRead: there }] = [await first.read(a, 0, count, at), await second.read(b, 0, count, at)];
    if (here !== there || !a.subarray(0, here).equals(b.subarray(0, there))) return false;
  }
  return true;
}
