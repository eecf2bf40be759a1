/**
 * The end of the WAL that a standby has when its server starts. The server is sent its last segment again and writes over it, so a source
 * that was put back to an earlier state, and has gone another way since, would continue it unnoticed: on pages of a history that is not
 * the source's any more. So the segment is kept aside, and compared.
 */
import { constants } from "node:fs";
import { copyFile, link, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

export interface KnownWal {
  readonly timeline: number;
  /** The last byte that is not zero lies before it. */
  readonly end: bigint;
  /** Whether the segment still begins as it did. To be asked when the source has sent it again. */
  isSame(): Promise<boolean>;
}

/** Of the data in `folder`; undefined: there is no segment. */
export async function knownWal(folder: string, segmentBytes: number): Promise<KnownWal | undefined> {
  const [wal, aside] = [join(folder, "data/pg_wal"), join(folder, "known")];
  await rm(aside, { recursive: true, force: true });
  const segments = (await readdir(wal)).filter((name) => /^[0-9A-F]{24}$/u.test(name));
  // By place; of one place, the newest timeline.
  const last = segments.toSorted((a, b) => `${a.slice(8)}${a}`.localeCompare(`${b.slice(8)}${b}`)).at(-1);
  if (last === undefined) return undefined;
  await mkdir(aside, { mode: 0o700 });
  const [former, now] = [join(aside, "former"), join(aside, "now")];
  await copyFile(join(wal, last), former, constants.COPYFILE_FICLONE);
  // The server removes it when it needs it no longer.
  await link(join(wal, last), now);
  const length = await usedBytes(former);
  return {
    timeline: Number.parseInt(last.slice(0, 8), 16),
    end: beginOf(last, segmentBytes) + BigInt(length),
    isSame: () => beginAlike(former, now, length),
  };
}

/** A name is timeline, upper half of the position, and number below it. */
const beginOf = (name: string, segmentBytes: number): bigint =>
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
