/**
 * Writes a release of kubectl vdb into a folder: the npm package, an archive for machines that have Node.js, one executable with
 * Node.js in it for machines like this one, the checksums of the three, and krew's manifest.
 *
 * Arguments: the folder, and the address that the archives will have. Without it there is no manifest, for it names them.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import { buildProgram } from "./build.ts";
import manifest from "./package.json" with { type: "json" };
import { krewManifest, type Platform, type ReleaseArchive } from "./src/release/krew-manifest.ts";

const here = import.meta.dirname;
const thisMachine: Platform = { os: process.platform, arch: process.arch === "x64" ? "amd64" : process.arch };
/** Where the program needs a Node.js of the machine's own. */
const others: readonly Platform[] = [
  { os: "linux", arch: "arm64" },
  { os: "darwin", arch: "amd64" },
  { os: "darwin", arch: "arm64" },
];

async function release(folder: string, address: string | undefined): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "kubectl-vdb-release-"));
  try {
    const bundle = await buildProgram(join(scratch, "bundle"));
    const executable = makeExecutable(scratch, bundle);
    const archives = [
      archive(folder, executable, `${thisMachine.os}-${thisMachine.arch}`, [thisMachine]),
      archive(folder, bundle, "node", others),
    ];
    const files = [pack(folder), ...archives.map(({ file }) => file)];
    writeFileSync(join(folder, "SHA256SUMS"), files.map((file) => `${sha256Of(join(folder, file))}  ${file}\n`).join(""));
    if (address === undefined) return;
    writeFileSync(
      join(folder, "vdb.yaml"),
      stringify(krewManifest({ version: manifest.version, address, archives }), { lineWidth: 0 }),
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The Node.js that runs this, without what only debuggers read, with the program in it. */
function makeExecutable(scratch: string, main: string): string {
  const [executable, config, output] = [join(scratch, "node"), join(scratch, "sea.json"), join(scratch, "alone/kubectl-vdb")];
  execFileSync("strip", ["-o", executable, process.execPath]);
  mkdirSync(join(scratch, "alone"));
  const options = { main, mainFormat: "module", executable, output, disableExperimentalSEAWarning: true };
  writeFileSync(config, JSON.stringify(options));
  execFileSync(process.execPath, ["--build-sea", config], { stdio: ["ignore", "ignore", "inherit"] });
  return output;
}

/** A program and the licence. The same program gives the same bytes: no time and no owner of this machine is in it. */
function archive(folder: string, program: string, what: string, platforms: readonly Platform[]): ReleaseArchive {
  const file = `kubectl-vdb-${manifest.version}-${what}.tar.gz`;
  const plain = [
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u=rwX,go=rX",
    "--use-compress-program=gzip -n",
  ];
  copyFileSync(join(here, "../../LICENSE"), join(program, "../LICENSE"));
  execFileSync("tar", ["--create", "--file", join(folder, file), ...plain, "-C", join(program, ".."), "kubectl-vdb", "LICENSE"]);
  return { file, sha256: sha256Of(join(folder, file)), platforms };
}

/** What `npm publish` would send. */
function pack(folder: string): string {
  // The machine's npm runs on the machine's Node.js; the package's scripts find the project's by themselves.
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.endsWith("node_modules/.bin"));
  const env = { ...process.env, PATH: path.join(delimiter) };
  execFileSync("npm", ["pack", "--pack-destination", folder], { cwd: here, env, stdio: ["ignore", "ignore", "pipe"] });
  return `${manifest.name}-${manifest.version}.tgz`;
}

const sha256Of = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

const [folder, address] = process.argv.slice(2);
if (folder === undefined) throw new Error("release.ts: name the folder for the release");
await release(resolve(folder), address);
