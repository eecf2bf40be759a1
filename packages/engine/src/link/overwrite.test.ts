import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import * as fc from "fast-check";
import { differing, type Overwriting, overwriting } from "./overwrite.ts";

const page = 8192;
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const wanted = {
  "base/1/large": Buffer.alloc(3 * 2 ** 20 + 100, "large"),
  "base/1/empty": Buffer.alloc(0),
  "base/2": Buffer.from("a file where a folder was"),
  "pg_wal/sparse": Buffer.concat([Buffer.from("begin"), Buffer.alloc(2 ** 20)]),
  PG_VERSION: Buffer.from("16\n"),
};

async function* pieces(archive: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < archive.length; from += pieceBytes) yield archive.subarray(from, from + pieceBytes);
}

describe("a folder is made equal to an archive", () => {
  let place: string;
  let folder: string;

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), "overwritten-"));
    folder = join(place, "data");
    for (const [name, content] of Object.entries(wanted)) {
      mkdirSync(join(place, "source", name, ".."), { recursive: true });
      writeFileSync(join(place, "source", name), content);
    }
    mkdirSync(folder);
  });
  afterEach(() => rmSync(place, { recursive: true }));

  const archived = (): Buffer =>
    execFileSync("tar", ["--format=ustar", "--sort=name", "-C", join(place, "source"), "-cf", "-", "."], { maxBuffer: 2 ** 26 });
  const taken = async (archive = archived(), pieceBytes = 1000): Promise<Overwriting> => {
    const copy = overwriting(folder, owner);
    await copy.take(pieces(archive, pieceBytes));
    await copy.removeOthers();
    return copy;
  };
  const isWhatIsWanted = (): void => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => !one.isDirectory());
    deepEqual(
      files.map((one) => join(one.parentPath, one.name).slice(folder.length + 1)).toSorted(),
      Object.keys(wanted).toSorted(),
    );
    for (const [name, content] of Object.entries(wanted)) ok(readFileSync(join(folder, name)).equals(content), name);
  };

  test("an empty one: all is written but zeros", async () => {
    const { bytes } = await taken();
    isWhatIsWanted();
    const all = Object.values(wanted).reduce((sum, one) => sum + one.length, 0);
    equal(bytes.read, all);
    equal(bytes.written, all - 2 ** 20 - 5 + page);
  });

  test("two archives at once, each into a place of its own: neither takes the other's bytes", async () => {
    const copy = overwriting(folder, owner);
    const archives = ["spaces/1", "spaces/2"].map((below) => {
      writeFileSync(join(place, "source/base/1/large"), Buffer.alloc(3 * 2 ** 20 + 100, below));
      return { below, archive: archived() };
    });
    await Promise.all(archives.map(({ below, archive }) => copy.take(pieces(archive, 65_536), below)));
    await copy.removeOthers();
    for (const { below } of archives)
      ok(readFileSync(join(folder, below, "base/1/large")).equals(Buffer.alloc(3 * 2 ** 20 + 100, below)), below);
    deepEqual(readdirSync(folder), ["spaces"]);
  });

  test("one that is equal already: nothing is written", async () => {
    await taken();
    equal((await taken(archived(), 65_536)).bytes.written, 0);
    isWhatIsWanted();
  });

  test("one that differs in every way: the pages that differ are written, what the archive has not is removed", async () => {
    await taken();
    const large = join(folder, "base/1/large");
    const changed = readFileSync(large);
    changed[page * 5 + 1] = 0;
    changed[2 ** 20] = 0;
    writeFileSync(large, changed);
    truncateSync(large, 3 * 2 ** 20);
    writeFileSync(join(folder, "base/1/empty"), "longer than it is to be");
    rmSync(join(folder, "base/2"));
    mkdirSync(join(folder, "base/2/below"), { recursive: true });
    writeFileSync(join(folder, "base/gone"), "");
    rmSync(join(folder, "pg_wal"), { recursive: true });
    writeFileSync(join(folder, "pg_wal"), "a file where a folder is to be");
    const { bytes } = await taken();
    isWhatIsWanted();
    equal(bytes.written, 2 * page + 100 + wanted["base/2"].length + page);
  });

  test("links are not followed", async () => {
    const outside = join(place, "outside");
    mkdirSync(join(outside, "1"), { recursive: true });
    writeFileSync(join(outside, "file"), "untouched");
    symlinkSync(outside, join(folder, "base"));
    symlinkSync(join(outside, "file"), join(folder, "PG_VERSION"));
    await taken();
    isWhatIsWanted();
    deepEqual(readdirSync(outside), ["1", "file"]);
    equal(readFileSync(join(outside, "file"), "utf8"), "untouched");
  });

  test("an archive that ends in the middle, leads outside, or is none, is refused", async () => {
    const archive = archived();
    await rejects(taken(archive.subarray(0, archive.length / 2)), /ended in the middle/u);
    await rejects(taken(Buffer.from(archive).fill(7, 10, 20)), /checksum/u);
    writeFileSync(join(place, "outside"), "");
    const outside = execFileSync("tar", ["--format=ustar", "-P", "-C", join(place, "source"), "-cf", "-", "../outside"]);
    rmSync(join(place, "outside"));
    await rejects(taken(outside), /outside of it: \.\.\/outside/u);
    equal(existsSync(join(place, "outside")), false);
  });
});

test("what is written makes any content of any other", () => {
  const content = fc
    .array(fc.constantFrom(0, 1, 2), { maxLength: 5 })
    .chain((pages) =>
      fc
        .integer({ min: 0, max: page - 1 })
        .map((rest) => Buffer.concat([...pages.map((one) => Buffer.alloc(page, one)), Buffer.alloc(rest, 1)])),
    );
  fc.assert(
    fc.property(content, content, (want, former) => {
      const made = Buffer.alloc(want.length);
      former.copy(made);
      for (const [from, to] of differing(want, former.subarray(0, want.length))) want.copy(made, from, from, to);
      ok(made.equals(want));
    }),
  );
});
