import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const source = join(import.meta.dirname, "../..");
const repository = join(source, "../..");

/** The archive that `npm pack` makes, of a copy: the package's own files stay as they are while other tests import them. */
export async function packRuntime(t: TestContext): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "pack-"));
  t.after(() => rm(copy, { recursive: true, force: true }));
  const folder = join(copy, "packages/runtime");
  const own = ["node_modules", "dist", "integration"].map((name) => join(source, name));
  await cp(source, folder, { recursive: true, filter: (path) => !own.includes(path) });
  for (const name of ["tsconfig.json", "LICENSE"]) await cp(join(repository, name), join(copy, name));
  await symlink(join(repository, "node_modules"), join(copy, "node_modules"));
  // The machine's npm runs on the machine's Node.js; the package's scripts find the project's by themselves.
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.endsWith("node_modules/.bin"));
  await run("npm", ["pack", "--pack-destination", copy], { cwd: folder, env: { ...process.env, PATH: path.join(delimiter) } });
  const [archive, ...more] = (await readdir(copy)).filter((name) => name.endsWith(".tgz"));
  if (archive === undefined || more.length > 0) throw new Error("npm pack did not make one archive");
  return join(copy, archive);
}

/** Unpacks the archive into a node_modules as npm would, beside what it depends on. */
export async function packedInto(modules: string, archive: string): Promise<string> {
  const folder = join(modules, "kube-runtime");
  await mkdir(folder);
  await run("tar", ["-xzf", archive, "--strip-components=1", "-C", folder]);
  for (const name of ["@kubernetes", "@types", "pino", "undici", "ws"])
    await symlink(join(repository, "node_modules", name), join(modules, name));
  return folder;
}
