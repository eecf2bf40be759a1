import { equal } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../golden");

/** Compares with golden/<name>.txt, escapes written out; with UPDATE_GOLDEN=1 it writes the file, for a person to read. */
export function assertGolden(name: string, text: string): void {
  const path = join(folder, `${name}.txt`);
  const shown = text.replaceAll("\u001B", "<ESC>").replaceAll("\r", "<CR>");
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, shown);
  }
  equal(
    shown,
    readFileSync(path, "utf8"),
    `${path} differs: if the change is meant, run with UPDATE_GOLDEN=1 and read the difference`,
  );
}
