/** Writes the shell scripts into modules, so that the bundle of the image carries them. With --check it fails when they are stale. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const folder = new URL("src/postgres/", import.meta.url);

for (const [name, constant] of [
  ["start", "startScript"],
  ["prepare", "prepareScript"],
  ["hook", "hookScript"],
  ["tls", "tlsScript"],
] as const) {
  const script = readFileSync(new URL(`${name}.sh`, folder), "utf8");
  const target = new URL(`generated/${name}-script.ts`, folder);
  const text = `// Generated from ${name}.sh by generate.ts, not edited.\nexport const ${constant} = ${JSON.stringify(script)};\n`;
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`stale: packages/operator/src/postgres/generated/${name}-script.ts (run make generate)`);
    process.exitCode = 1;
  }
}
