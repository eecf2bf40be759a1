/** Writes openapi.yaml as JSON into a module, so that the engine's image carries it. With --check it fails when that is stale. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parse } from "yaml";

const described: unknown = parse(readFileSync(new URL("openapi.yaml", import.meta.url), "utf8"));
const target = new URL("src/generated/openapi.ts", import.meta.url);
const text = `// Generated from openapi.yaml by generate.ts, not edited.\nexport const openApi = ${JSON.stringify(JSON.stringify(described))};\n`;
if (!process.argv.includes("--check")) {
  mkdirSync(new URL(".", target), { recursive: true });
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  console.error("stale: packages/dct/src/generated/openapi.ts (run make generate)");
  process.exitCode = 1;
}
