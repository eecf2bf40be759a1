import { equal } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const folder = join(import.meta.dirname, "../golden");

/** Compares with golden/<name>.txt; with UPDATE_GOLDEN=1 it writes the file instead, for a person to read before it is committed. */
export function assertGolden(name: string, text: string): void {
  const path = join(folder, `${name}.txt`);
  const masked = maskTimes(text);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, masked);
  }
  equal(
    masked,
    readFileSync(path, "utf8"),
    `${path} differs: if the change is meant, run with UPDATE_GOLDEN=1 and read the difference`,
  );
}

/** Ages, moments and ids change from run to run; the columns keep their width. */
function maskTimes(text: string): string {
  const [header = "", ...rows] = text.split("\n");
  const ages = header.startsWith("NAME ")
    ? ["FRESHNESS", "AGE"].map((column) => header.indexOf(column)).filter((start) => start >= 0)
    : [];
  return [header, ...rows.map((row) => ages.reduce(maskCell, row))]
    .join("\n")
    .replaceAll(/(?<=(?:Creation Timestamp|Resource Version|UID): +)\S+/gu, "#")
    .replaceAll(/ +$/gmu, "");
}

const maskCell = (row: string, start: number): string =>
  row.slice(0, start) + row.slice(start).replace(/^\S+/u, (age) => "#".padEnd(age.length));
