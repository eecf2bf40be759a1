/** Writes dist/kubectl-vdb: the program with everything it imports, in one file that Node.js 24 runs. Argument: another folder. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";

/** Writes the program into a folder, and says where it is. */
export async function buildProgram(folder: string): Promise<string> {
  const outfile = join(folder, "kubectl-vdb");
  await build({
    entryPoints: [join(import.meta.dirname, "src/main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    minify: true, // what is not there need not be read each time somebody types a command
    lineLimit: 160,
    // Modules of the older kind ask for Node's own modules by require, which a file of the newer kind does not have.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    legalComments: "eof",
    logLevel: "error",
  });
  chmodSync(outfile, 0o755);
  return outfile;
}

if (import.meta.main) await buildProgram(process.argv[2] ?? join(import.meta.dirname, "dist"));
