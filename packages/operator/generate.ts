/**
 * Writes the shell scripts into modules, so that the bundle of the image carries them, and the dashboard into the chart. With --check it
 * fails when they are stale.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { dashboard } from "./dashboard.ts";

const repository = new URL("../../", import.meta.url);

function keep(path: string, text: string): void {
  const target = new URL(path, repository);
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`stale: ${path} (run make generate)`);
    process.exitCode = 1;
  }
}

for (const [name, constant] of [
  ["start", "startScript"],
  ["prepare", "prepareScript"],
  ["hook", "hookScript"],
  ["tls", "tlsScript"],
] as const) {
  const folder = "packages/operator/src/postgres";
  const script = readFileSync(new URL(`${folder}/${name}.sh`, repository), "utf8");
  const text = `// Generated from ${name}.sh by generate.ts, not edited.\nexport const ${constant} = ${JSON.stringify(script)};\n`;
  keep(`${folder}/generated/${name}-script.ts`, text);
}
keep("charts/delphix-operator/files/dashboard.json", `${JSON.stringify(dashboard, undefined, 2)}\n`);
