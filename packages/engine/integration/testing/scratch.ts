import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const clone = new URL("../../../../", import.meta.url).pathname;

export interface Scratch extends AsyncDisposable {
  readonly path: string;
  /** `<major>/bin/…`, as the engine's flag --postgres-dir wants it; readable for every user. */
  readonly postgresDir: string;
  /** Which of them servers and client programs of the tests are of. */
  readonly major: number;
}

/** PostgreSQL 16, unless the environment names another one as for the group e2e. */
const usualMajor = Number(process.env["POSTGRES_VERSION"] ?? 16);
/** As in the engine's image there is a psql that shows every answer to a command, which that of 14 does not. */
const usualMajors = usualMajor < 15 ? [usualMajor, 16] : [usualMajor];

/** A folder of its own for one test file. Afterwards every mount below it and the folder itself are gone. */
export function scratchFolder(majors: readonly number[] = usualMajors): Scratch {
  const path = mkdtempSync(join(tmpdir(), "engine-test-"));
  chmodSync(path, 0o755);
  // As on a node: who has a copy of a mount in it gives it up when that is unmounted. The servers of other tests have such copies.
  execFileSync("mount", ["--bind", path, path]);
  execFileSync("mount", ["--make-shared", path]);
  const postgresDir = join(path, "postgresql");
  mkdirSync(postgresDir);
  // The cache lies in a home folder that other users cannot enter, and the server does not run as root.
  for (const major of majors) {
    cpSync(postgresTree(major), join(postgresDir, String(major)), { recursive: true, verbatimSymlinks: true });
    chmodSync(join(postgresDir, String(major)), 0o755);
  }
  return { path, postgresDir, major: majors[0] ?? usualMajor, [Symbol.asyncDispose]: () => remove(path) };
}

function postgresTree(major: number): string {
  if (major !== 16) return execFileSync(join(clone, "cluster/postgres"), [String(major)], { encoding: "utf8" }).trim();
  const tree =
    process.env["POSTGRES16"] ?? execFileSync(join(clone, "cluster/paths"), ["postgres16"], { encoding: "utf8" }).trim();
  if (!existsSync(join(tree, "bin/pg_basebackup"))) throw new Error(`there is no PostgreSQL 16 in ${tree}: run make tools`);
  return tree;
}

async function remove(path: string): Promise<void> {
  for (const mount of mountsBelow(path)) await unmount(mount);
  await unmount(path);
  rmSync(path, { recursive: true, force: true });
}

const mountsBelow = (path: string): readonly string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((mount) => mount.startsWith(`${path}/`))
    .toReversed();

/** A server that was killed keeps its folder busy for a moment. */
export async function unmount(mount: string): Promise<void> {
  for (let left = 600; ; left -= 1) {
    try {
      execFileSync("umount", [mount], { stdio: "pipe" });
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
  }
}
