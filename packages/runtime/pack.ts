/**
 * What `npm pack` and `npm publish` run before and after. Here the package is TypeScript that Node.js runs as it is; Node.js
 * does not do that below node_modules, so the archive holds JavaScript with types and source maps, and its entries lead there.
 *
 * `begin` builds dist/ and turns the entries of package.json to it; `end` removes what was built and turns them back. After a
 * `npm pack` that was killed, the next one or `node pack.ts end` mends that.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const folder = import.meta.dirname;
const manifest = join(folder, "package.json");
const license = join(folder, "LICENSE"); // npm packs no link, and no file above the package

function turnEntries(from: RegExp, to: string): void {
  writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll(from, to));
}

function removeBuilt(): void {
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  rmSync(license, { force: true });
}

switch (process.argv[2]) {
  case "begin":
    removeBuilt(); // what a renamed file has left
    execFileSync("tsc", ["-p", join(folder, "tsconfig.build.json")], { stdio: ["ignore", 2, 2] });
    copyFileSync(join(folder, "../../LICENSE"), license);
    turnEntries(/"\.\/src\/([\w/]+)\.ts"/gu, '"./dist/$1.js"');
    break;
  case "end":
    turnEntries(/"\.\/dist\/([\w/]+)\.js"/gu, '"./src/$1.ts"');
    removeBuilt();
    break;
  case undefined:
  default:
    throw new Error("pack.ts: npm runs it as 'pack.ts begin' and 'pack.ts end'; to make the archive run npm pack");
}
