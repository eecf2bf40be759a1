/** The archive that `npm pack` makes, as those see it who install it; readme.test.ts runs a controller from it. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { packedInto, packRuntime } from "./testing/pack-runtime.ts";

test("npm pack makes JavaScript with types and source maps that others can install", async (t) => {
  const archive = await packRuntime(t);
  const bytes = await readFile(archive);
  const consumer = await mkdtemp(join(tmpdir(), "consumer-"));
  t.after(() => rm(consumer, { recursive: true, force: true }));
  await mkdir(join(consumer, "node_modules"));
  const folder = await packedInto(join(consumer, "node_modules"), archive);

  await t.test("publint finds nothing", async () => {
    const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
    deepEqual(messages, []);
  });

  await t.test("the types are right wherever modules are ECMAScript's", async () => {
    const found = await checkPackage(createPackageFromTarballData(bytes));
    ok(found.types !== false, "it has types");
    // It has no CommonJS, and the resolution of Node.js 10 knows no entries besides the main one.
    const foreign = new Set(["node10", "node16-cjs"]);
    const problems = found.problems.filter((problem) => !("resolutionKind" in problem && foreign.has(problem.resolutionKind)));
    deepEqual(problems, []);
  });

  await t.test("each module has its types and its source", () => {
    const modules = globSync("dist/**/*.js", { cwd: folder });
    ok(modules.length > 50, `${modules.length} modules`);
    for (const module of modules) {
      ok(existsSync(join(folder, module.replace(/\.js$/u, ".d.ts"))), `${module} has no types`);
      const map: { readonly sources: readonly string[] } = JSON.parse(readFileSync(join(folder, `${module}.map`), "utf8"));
      equal(map.sources.length, 1, module);
      for (const source of map.sources) ok(existsSync(join(folder, dirname(module), source)), `${module}: ${source}`);
    }
  });

  await t.test("it holds no test, and the licence", () => {
    deepEqual(globSync(["**/*.test.*", "integration", "node_modules"], { cwd: folder }), []);
    ok(existsSync(join(folder, "LICENSE")));
  });

  await t.test("the README's controller is typed against it, its declarations checked too", async () => {
    const readme = await readFile(join(folder, "README.md"), "utf8");
    await writeFile(join(consumer, "greeter.ts"), /^```ts\n([\s\S]*?)^```/mu.exec(readme)?.[1] ?? "");
    await writeFile(join(consumer, "package.json"), '{"type":"module"}');
    const options = { strict: true, noEmit: true, module: "nodenext", target: "es2024", types: ["node"] };
    await writeFile(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["greeter.ts"] }));
    execFileSync(join(import.meta.dirname, "../../../node_modules/.bin/tsc"), ["-p", consumer], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  });
});
