import { deepEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";

const failing = `
import { after, before, describe, test } from "node:test";
const fail = () => { throw new Error("broken"); };
describe("its clean-up fails", () => { after(fail); test("that passes", () => {}); });
describe("its set-up fails", () => { before(fail); test("that never runs", () => {}); });
describe("its test fails", () => { describe("within", () => test("that fails", fail)); });
`;
/** As scripts/run-tests.ts counts. */
const counting = `
import { run } from "node:test";
import { isOwnFailure } from ${JSON.stringify(new URL("own-failure.ts", import.meta.url).href)};
const stream = run({ files: [process.argv[2]] });
stream.on("test:fail", ({ name, details }) => isOwnFailure(details) && console.log(name));
for await (const event of stream) void event;
`;

test("a suite whose hook fails is a failure, one whose test fails is none besides", () => {
  const folder = mkdtempSync(join(tmpdir(), "failing-"));
  try {
    const [file, counter] = [join(folder, "failing.test.mjs"), join(folder, "count.mjs")];
    writeFileSync(file, failing);
    writeFileSync(counter, counting);
    const { PATH = "", HOME = "" } = process.env; // nothing of the run that this test is part of
    const counted = execFileSync(process.execPath, [counter, file], { encoding: "utf8", env: { PATH, HOME } });
    deepEqual(counted.trim().split("\n").toSorted(), ["its clean-up fails", "its set-up fails", "that fails", "that never runs"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
