import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { knownWal } from "./known-wal.ts";

const segmentBytes = 2 ** 20;
const segment = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(segmentBytes - text.length)]);

test("a segment that is sent again has to begin as it was known, and may go on", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "known-wal-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const wal = join(folder, "data/pg_wal");
  mkdirSync(wal, { recursive: true });
  const at = (name: string): string => join(wal, name);
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
  writeFileSync(at("00000002000000020000000B"), segment("know? and more"));
  equal(await known?.isSame(), false, "another history");
  unlinkSync(at("00000002000000020000000B"));
  equal(await known?.isSame(), false, "also when the server has removed it meanwhile");
});
