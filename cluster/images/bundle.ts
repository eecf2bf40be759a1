import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";

/** The program of packages/<name>/src/main.ts as one file, with everything it imports: images hold no node_modules. */
export async function bundle(repository: string, name: string): Promise<string> {
  const result = await build({
    entryPoints: [join(repository, "packages", name, "src/main.ts")],
    absWorkingDir: repository,
    bundle: true,
    write: false,
    platform: "node",
    target: "node26",
    format: "esm",
    // Modules of the older kind ask for Node's own modules by require, which a file of the newer kind does not have.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    // Stack traces in a log name functions as the sources do.
    keepNames: true,
    legalComments: "eof",
    logLevel: "error",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`esbuild made no file of packages/${name}`);
  return file.text;
}

// The Dockerfiles' way to it: node bundle.ts PACKAGE FILE
const [name, file] = process.argv.slice(2);
if (import.meta.main && name !== undefined && file !== undefined) {
  writeFileSync(file, await bundle(join(import.meta.dirname, "../.."), name));
}
