import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { build, type Metafile } from "esbuild";

/** Files of a program by name; `main.mjs` starts it. */
export type Bundle = Readonly<Record<string, string>>;

/** The program of packages/<name>/src/main.ts with everything it imports: images hold no node_modules. */
export async function bundle(repository: string, name: string): Promise<Bundle> {
  const result = await build({
    entryPoints: { main: join(repository, "packages", name, "src/main.ts") },
    absWorkingDir: repository,
    bundle: true,
    write: false,
    outdir: "out",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node26",
    format: "esm",
    // What is imported only when it is needed is a file of its own: megabytes of it are never read in a pod.
    splitting: true,
    // Names stay, so that stack traces in a log can be read; blanks would be held in memory.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160, // an uncaught error prints the line it is in
    // Modules of the older kind ask for Node's own modules by require, which a file of the newer kind does not have.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    legalComments: "eof",
    logLevel: "error",
    metafile: true,
  });
  const used = reachable(result.metafile.outputs, "out/main.mjs");
  const files = result.outputFiles.map((file) => [basename(file.path), file.text] as const);
  return Object.fromEntries(files.filter(([file]) => used.has(`out/${file}`)));
}

/** What a program can import: esbuild also writes what only modules import that it has left out. */
function reachable(outputs: Metafile["outputs"], from: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(from)) return seen;
  seen.add(from);
  for (const { path } of outputs[from]?.imports ?? []) reachable(outputs, path, seen);
  return seen;
}

// The Dockerfiles' way to it: node bundle.ts PACKAGE FOLDER
const [name, folder] = process.argv.slice(2);
if (import.meta.main && name !== undefined && folder !== undefined) {
  mkdirSync(folder, { recursive: true });
  const files = await bundle(join(import.meta.dirname, "../.."), name);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
}
