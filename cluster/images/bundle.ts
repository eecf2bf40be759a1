import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type Metafile } from "esbuild";

export interface Bundle {
  /** By name; `main.mjs` starts the program. */
  readonly files: Readonly<Record<string, string>>;
  /** The npm packages of which something is in the files. */
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

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
  return {
    files: Object.fromEntries(files.filter(([file]) => used.has(`out/${file}`))),
    packages: packagesOf(repository, result.metafile.outputs, used),
  };
}

function packagesOf(repository: string, outputs: Metafile["outputs"], used: ReadonlySet<string>): Bundle["packages"] {
  const inputs = [...used].flatMap((output) => Object.keys(outputs[output]?.inputs ?? {}));
  const folders = inputs.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(file)?.[0] ?? []);
  return [...new Set(folders)].map((folder) => {
    const { name, version }: { name: string; version: string } = JSON.parse(
      readFileSync(join(repository, folder, "package.json"), "utf8"),
    );
    return { name, version };
  });
}

/** What a program can import: esbuild also writes what only modules import that it has left out. */
function reachable(outputs: Metafile["outputs"], from: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(from)) return seen;
  seen.add(from);
  for (const { path } of outputs[from]?.imports ?? []) reachable(outputs, path, seen);
  return seen;
}
