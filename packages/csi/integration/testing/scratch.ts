import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/**
 * A folder of its own for one test file, made a shared mount: the engine's pool and the driver's volumes travel through it
 * between the namespaces of the processes, as they do on a node. Afterwards every mount below it and the folder are gone.
 */
export function scratchFolder(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "csi-test-"));
  chmodSync(path, 0o755);
  execFileSync("mount", ["--bind", path, path]);
  execFileSync("mount", ["--make-shared", path]);
  mkdirSync(join(path, "kubelet"));
  return { path, [Symbol.asyncDispose]: async () => await remove(path) };
}

async function remove(path: string): Promise<void> {
  for (const mount of mountPoints()
    .filter((one) => one === path || one.startsWith(`${path}/`))
    .toReversed())
    await unmount(mount);
  rmSync(path, { recursive: true });
}

/** Every mount point of this namespace, the machine's. */
export const mountPoints = (): readonly string[] => mountLines().map((line) => line.split(" ")[4] ?? "");

/** The options of the mount at a path; undefined when nothing is mounted there. */
export const mountOptions = (path: string): string | undefined =>
  mountLines()
    .map((line) => line.split(" "))
    .find((fields) => fields[4] === path)?.[5];

const mountLines = (): readonly string[] => readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");

/** A process that was killed keeps its folder busy for a moment. */
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
