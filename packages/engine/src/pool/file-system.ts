/** The file systems that a pool can be made of, and which of them a node's pool gets. */
import { readFile } from "node:fs/promises";
import { runCommand } from "../command.ts";

/** In the order in which they are preferred: a btrfs clone is one step, an XFS clone one for each file. */
export const fileSystemNames = ["btrfs", "xfs"] as const;
export type FileSystemName = (typeof fileSystemNames)[number];
export const wantedFileSystems = ["auto", ...fileSystemNames] as const;
export type WantedFileSystem = (typeof wantedFileSystems)[number];

export const isFileSystemName = (name: unknown): name is FileSystemName => fileSystemNames.some((one) => one === name);

/** What mounting needs of one of them. */
export interface FileSystem {
  /** Makes it in a file, so that each clone can share its blocks. */
  make(file: string, uuid: string): Promise<void>;
  /** Of what is mounted there; `device` is what was mounted. */
  uuid(mountPoint: string, device: string): Promise<string>;
  /** Throws, in words, where it cannot share blocks between files. */
  requireClones(mountPoint: string): Promise<void>;
  /** How much of its device it uses. */
  sizeBytes(mountPoint: string): Promise<number>;
  /** Makes it as large as its device. */
  grow(mountPoint: string): Promise<void>;
}

/** Which file system a new pool gets; throws, in words, when the kernel has none that will do. */
export function chooseFileSystem(wanted: WantedFileSystem, offered: readonly FileSystemName[]): FileSystemName {
  if (wanted !== "auto") {
    if (offered.includes(wanted)) return wanted;
    throw new Error(
      `configuration.pool.fileSystem is ${wanted}, but the kernel of this node has no ${wanted}: set it to ${["auto", ...offered].join(" or ")}, or ${orElse}`,
    );
  }
  const best = fileSystemNames.find((name) => offered.includes(name));
  if (best === undefined)
    throw new Error(`the kernel of this node has neither btrfs nor xfs, which the embedded engine keeps its pool on: ${orElse}`);
  return best;
}

export const orElse =
  "run the engine on a node that has one of them, or do without the engine (engine.enabled: false) and take databases from sources k8s-snapshot, pvc-clone or pvc-adopt on a CSI driver of your storage";

/** Throws where the configuration asks for another file system than the pool has: data does not move from one to the other. */
export function requireSame(wanted: WantedFileSystem, found: FileSystemName, what: string): void {
  if (wanted === "auto" || wanted === found) return;
  throw new Error(
    `configuration.pool.fileSystem is ${wanted}, but ${what} is ${found}: set it to auto or ${found}, or move pool and catalogue away to begin with an empty one`,
  );
}

/** Those that this kernel has, or loads when it is asked to mount one. */
export async function offeredFileSystems(mountPoint: string): Promise<readonly FileSystemName[]> {
  const offered: FileSystemName[] = [];
  for (const name of fileSystemNames) {
    // It fails in any case, /dev/null is no disk; but first the kernel looks for the file system, and loads its module.
    if (!(await kernelHas(name))) await runCommand("mount", ["-t", name, "/dev/null", mountPoint]).catch(() => undefined);
    if (await kernelHas(name)) offered.push(name);
  }
  return offered;
}

export async function kernelHas(fileSystem: string): Promise<boolean> {
  const known = (await readFile("/proc/filesystems", "utf8")).split("\n").map((line) => line.split("\t").at(-1));
  return known.includes(fileSystem);
}
