import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { mkdir, mkdtemp, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type MountEntry, parseMountinfo } from "./mountinfo.ts";

/** What the node service asks of the kernel. */
export interface Mounts {
  readonly list: () => Promise<readonly MountEntry[]>;
  readonly bind: (source: string, target: string, options: { readonly readOnly: boolean }) => Promise<void>;
  /** An export of an engine; `options` as mount(8) takes them. */
  readonly nfs: (host: string, source: string, target: string, options: readonly string[]) => Promise<void>;
  readonly unmount: (target: string) => Promise<void>;
}

const run = promisify(execFile);
/** Neither touches a disk for long; a command that hangs on a dead device must not hang the driver. */
const timeoutSeconds = 20;

/**
 * Mounts by the system's programs. `stageDir` is a folder whose mounts no other namespace sees (in the pod an emptyDir).
 * The kernel sets a bind mount's flags by a second call that changes this namespace's mount alone: on the node, where it counts,
 * the volume would stay writable. So the flags are set in the stage, and the finished mount is bound from there, flags included.
 */
export function systemMounts(stageDir: string): Mounts {
  return {
    list: async () => parseMountinfo(await readFile("/proc/self/mountinfo", "utf8")),
    bind: async (source, target, { readOnly }) => {
      // A clone holds whatever its production held: no device node or setuid program in it may work here.
      const flags = ["bind", "nosuid", "nodev", ...(readOnly ? ["ro"] : [])].join(",");
      await mkdir(stageDir, { recursive: true, mode: 0o700 });
      const stage = await mkdtemp(join(stageDir, "volume-"));
      try {
        await command("mount", ["-o", flags, "--", source, stage]);
        try {
          await command("mount", ["--bind", "--", stage, target]);
        } finally {
          await command("umount", ["--", stage]);
        }
      } finally {
        await rmdir(stage);
      }
    },
    nfs: async (host, source, target, options) =>
      await command("mount", nfsCommand(await addressOf(host), source, target, options)),
    unmount: async (target) => await command("umount", ["--", target]),
  };
}

/** -i: without a helper program. The kernel wants the server's address, which such a program would have looked up. */
export const nfsCommand = (address: string, source: string, target: string, options: readonly string[]): readonly string[] => [
  "-i",
  "-t",
  "nfs",
  "-o",
  [`addr=${address}`, ...options].join(","),
  "--",
  source,
  target,
];

const addressOf = async (host: string): Promise<string> => (await lookup(host)).address;

async function command(name: string, args: readonly string[]): Promise<void> {
  try {
    await run(name, args, { timeout: timeoutSeconds * 1000 });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${name} ${args.join(" ")}: ${said === "" ? String(error) : said}`, { cause: error });
  }
}
