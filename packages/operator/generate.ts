/** Writes the start script into a module, so that the bundle of the image carries it. With --check it fails when that is stale. */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const target = new URL("src/postgres/generated/start-script.ts", import.meta.url);
const script = readFileSync(new URL("src/postgres/start.sh", import.meta.url), "utf8");
const text = `// Generated from start.sh by generate.ts, not edited.\nexport const startScript = ${JSON.stringify(script)};\n`;

if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error("stale: packages/operator/src/postgres/generated/start-script.ts (run make generate)");
  process.exitCode = 1;
}
