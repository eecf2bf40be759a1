import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type MountEntry, parseMountinfo } from "./mountinfo.ts";

/** What the node service asks of the kernel. */
export interface Mounts {
  readonly list: () => Promise<readonly MountEntry[]>;
  readonly bind: (source: string, target: string, options: { readonly readOnly: boolean }) => Promise<void>;
  readonly unmount: (target: string) => Promise<void>;
}

const run = promisify(execFile);
/** Neither touches a disk for long; a command that hangs on a dead device must not hang the driver. */
const timeoutSeconds = 20;

export const systemMounts: Mounts = {
  list: async () => parseMountinfo(await readFile("/proc/self/mountinfo", "utf8")),
  bind: async (source, target, { readOnly }) => {
    // A clone holds whatever its production held: no device node or setuid program in it may work here.
    const options = ["bind", "nosuid", "nodev", ...(readOnly ? ["ro"] : [])].join(",");
    await command("mount", ["-o", options, "--", source, target]);
  },
  unmount: async (target) => await command("umount", ["--", target]),
};

async function command(name: string, args: readonly string[]): Promise<void> {
  try {
    await run(name, args, { timeout: timeoutSeconds * 1000 });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${name} ${args.join(" ")}: ${said === "" ? String(error) : said}`, { cause: error });
  }
}
