/**
 * Writes what is made from the kinds: the chart's CRDs, the editors' JSON Schemas and the reference.
 * With --check nothing is written: files that are stale, missing or left over are named, and the exit status is 1.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { generatedFiles } from "./src/generate/generated-files.ts";

const repository = join(import.meta.dirname, "../..");
const wanted = generatedFiles();
const owned = globSync(["charts/delphix-operator/templates/crds/*.yaml", "docs/reference/**/*.{md,json}"], { cwd: repository });
const stale = [...wanted].filter(([path, content]) => content !== readOrNothing(join(repository, path))).map(([path]) => path);
const leftOver = owned.filter((path) => !wanted.has(path));

if (process.argv.includes("--check")) {
  for (const path of stale) console.error(`${path} is stale: make generate`);
  for (const path of leftOver) console.error(`${path} is made by nothing any more: make generate`);
  process.exitCode = stale.length + leftOver.length === 0 ? 0 : 1;
} else {
  for (const path of stale) write(join(repository, path), wanted.get(path) ?? "");
  for (const path of leftOver) rmSync(join(repository, path));
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  console.log(`wrote ${relative(process.cwd(), path)}`);
}
