import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { knownWal } from "./known-wal.ts";

const segmentBytes = 2 ** 20;
const segment = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(segmentBytes - text.length)]);

function standbyFolder(t: TestContext): { readonly folder: string; readonly at: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), "known-wal-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const wal = join(folder, "data/pg_wal");
  mkdirSync(wal, { recursive: true });
  return { folder, at: (name) => join(wal, name) };
}

test("a segment that is sent again has to begin as it was known, and may go on", async (t) => {
  const { folder, at } = standbyFolder(t);
  equal(await knownWal(folder, segmentBytes), undefined);
  writeFileSync(at("00000001000000020000000A"), segment("earlier"));
  writeFileSync(at("00000001000000020000000B"), segment("known of one"));
  writeFileSync(at("00000002000000020000000B"), segment("known"));
  writeFileSync(at("00000002.history"), "");
  const known = await knownWal(folder, segmentBytes);
  deepEqual([known?.timeline, known?.end], [2, (2n << 32n) + 0xbn * 2n ** 20n + 5n]);
  equal(await known?.isSame(), true, "nothing was sent yet");
  writeFileSync(at("00000002000000020000000B"), segment("known, and more"));
  equal(await known?.isSame(), true);
  writeFileSync(at("00000002000000020000000B"), segment("kn?wn and more"));
  equal(await known?.isSame(), false, "another history");
  unlinkSync(at("00000002000000020000000B"));
  equal(await known?.isSame(), false, "also when the server has removed it meanwhile");
});

test("a segment that the server has made and not written into is not the end of what it has", async (t) => {
  const { folder, at } = standbyFolder(t);
  writeFileSync(at("00000001000000020000000A"), segment("known"));
  writeFileSync(at("00000001000000020000000B"), segment(""));
  equal((await knownWal(folder, segmentBytes))?.end, (2n << 32n) + 0xan * 2n ** 20n + 5n);
});

test("the last record is taken from the source again, and is whole at the next start if it has not come", async (t) => {
  const { folder, at } = standbyFolder(t);
  const place = at("00000001000000020000000A");
  writeFileSync(place, segment("known"));
  for (let start = 0; start < 2; start += 1) {
    equal((await knownWal(folder, segmentBytes))?.end, (2n << 32n) + 0xan * 2n ** 20n + 5n);
    deepEqual(readFileSync(place), segment("know"));
  }
  writeFileSync(at("00000002.history"), "");
  await knownWal(folder, segmentBytes);
  deepEqual(readFileSync(place), segment("known"), "nobody sends more of a timeline that has ended");
});

test("what a source has sent of another history is not known at the next start either", async (t) => {
  const { folder, at } = standbyFolder(t);
  writeFileSync(at("00000001000000020000000A"), segment("known"));
  await knownWal(folder, segmentBytes);
  writeFileSync(at("00000001000000020000000A"), segment("kn?wn and more"));
  writeFileSync(at("00000001000000020000000B"), segment("and more still"));
  for (let start = 0; start < 2; start += 1) equal(await (await knownWal(folder, segmentBytes))?.isSame(), false);
  writeFileSync(at("00000001000000020000000A"), segment("known and more"));
  const known = await knownWal(folder, segmentBytes);
  deepEqual([await known?.isSame(), known?.end], [true, (2n << 32n) + 0xbn * 2n ** 20n + 14n], "the same history went on");
});
