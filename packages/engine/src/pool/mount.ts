/** The pool's file system: in one sparse file, mounted where every node plugin and pod finds it. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runCommand } from "../command.ts";
import { btrfsFileSystem } from "./btrfs.ts";
import {
  chooseFileSystem,
  type FileSystem,
  type FileSystemName,
  isFileSystemName,
  kernelHas,
  offeredFileSystems,
  orElse,
  requireSame,
  type WantedFileSystem,
} from "./file-system.ts";
import { markerFile, type PoolPlace, poolFolders } from "./pool.ts";
import { xfsFileSystem } from "./xfs.ts";

export interface PoolWanted {
  /** Undefined: whatever it has, or a default for a new one. */
  readonly sizeBytes?: number | undefined;
  /** Whether data is known to lie in the pool: then it has to be there, and none is made in its place. */
  readonly holdsData: boolean;
  /** Auto: what it has, or what this kernel does best. */
  readonly fileSystem?: WantedFileSystem;
}

export interface MountedPool {
  readonly uuid: string;
  readonly fileSystem: FileSystemName;
}

const fileSystems: Readonly<Record<FileSystemName, FileSystem>> = { btrfs: btrfsFileSystem, xfs: xfsFileSystem };

/**
 * Makes the pool if there is none, grows it to `sizeBytes`, mounts it unless it is mounted. The mount outlives the process: VDBs go on
 * while the engine is restarted.
 */
export async function mountPool(
  place: PoolPlace,
  { sizeBytes, holdsData, fileSystem = "auto" }: PoolWanted,
): Promise<MountedPool> {
  const { imageFile, mountPoint } = place;
  await mkdir(mountPoint, { recursive: true });
  if ((await mountAt(mountPoint)) === undefined) {
    if (!existsSync(imageFile)) {
      if (holdsData)
        throw new Error(
          `${imageFile} is missing, but the catalogue lists data in it: put it back, or remove the catalogue too to begin with nothing`,
        );
      const name = chooseFileSystem(fileSystem, await offeredFileSystems(mountPoint));
      await makeImage(imageFile, sizeBytes ?? (await defaultSizeBytes(imageFile)), fileSystems[name]);
    }
    await attach(place, await fileSystemIn(imageFile));
  }
  const mounted = await mountAt(mountPoint);
  if (mounted === undefined) throw new Error(`the pool is not mounted at ${mountPoint}`);
  const { name, device } = mounted;
  requireSame(fileSystem, name, `the pool at ${mountPoint}`);
  await fileSystems[name].requireClones(mountPoint);
  const uuid = await checkMarker(place, await fileSystems[name].uuid(mountPoint, device));
  await growTo(place, sizeBytes ?? 0, fileSystems[name]);
  for (const folder of poolFolders) await mkdir(join(mountPoint, folder), { recursive: true, mode: 0o711 });
  return { uuid, fileSystem: name };
}

interface Mounted {
  readonly name: FileSystemName;
  readonly device: string;
  readonly isReadOnly: boolean;
}

/** What is mounted on top at `mountPoint`, if anything: mountinfo lists in order, the last one is on top. */
export async function mountAt(mountPoint: string): Promise<Mounted | undefined> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.split(" ")[4] === mountPoint);
  const top = lines.at(-1);
  if (top === undefined) return undefined;
  const [mount = "", fileSystem = ""] = top.split(" - ");
  const [name, device = "", superOptions] = fileSystem.split(" ");
  if (!isFileSystemName(name)) throw new Error(`another file system is mounted at ${mountPoint}: unmount it (${top})`);
  // Of the mount, and of the file system: btrfs turns itself read-only after an error.
  const options = [mount.split(" ")[5], superOptions];
  return { name, device, isReadOnly: options.some((list) => list?.split(",").includes("ro")) };
}

/** The uuid that the marker of a mounted pool names. */
export const markedUuid = async (mountPoint: string): Promise<string> =>
  (await readFile(join(mountPoint, markerFile), "utf8")).trim();

async function defaultSizeBytes(imageFile: string): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(imageFile));
  return Math.min(20 * 2 ** 30, Math.floor((bavail * bsize * 0.8) / 2 ** 20) * 2 ** 20);
}

/** Under a temporary name first: a half-made image must never be taken for a pool. */
async function makeImage(imageFile: string, sizeBytes: number, fileSystem: FileSystem): Promise<void> {
  const draft = `${imageFile}.new`;
  await rm(draft, { force: true });
  await using file = await open(draft, "w", 0o600);
  await file.truncate(sizeBytes);
  await fileSystem.make(draft, randomUUID());
  await file.sync();
  await rename(draft, imageFile);
}

/**
 * One loop device per image, ever: two of them on one file would be two file systems that overwrite each other. So a device
 * that is left over from a mount elsewhere is used again. `mount -o loop` frees its device with the last unmount.
 */
async function attach({ imageFile, mountPoint }: PoolPlace, name: FileSystemName): Promise<void> {
  const device = await loopDeviceOf(imageFile);
  if (device === undefined) await ensureFreeLoopNode();
  const options = device === undefined ? "loop,noatime" : "noatime";
  await runCommand("mount", ["-t", name, "-o", options, device ?? imageFile, mountPoint]).catch(async (error: unknown) => {
    if (await kernelHas(name)) throw error;
    throw new Error(`${imageFile} is a pool on ${name}, and the kernel of this node has no ${name}: ${orElse}`, { cause: error });
  });
}

async function fileSystemIn(imageFile: string): Promise<FileSystemName> {
  const answer = await runCommand("blkid", ["--probe", "--match-tag", "TYPE", "--output", "value", imageFile]).catch(() => "");
  const found = answer.trim();
  if (isFileSystemName(found)) return found;
  throw new Error(`${imageFile} is no pool: it contains neither a btrfs nor an xfs${found === "" ? "" : `, but ${found}`}`);
}

async function loopDeviceOf(imageFile: string): Promise<string | undefined> {
  const [device] = (await runCommand("losetup", ["--associated", imageFile, "--noheadings", "--output", "NAME"]))
    .trim()
    .split("\n");
  return device === undefined || device === "" ? undefined : device.trim();
}

/** In a container /dev may lack the node of the device that the kernel would give: loop devices are block major 7. */
async function ensureFreeLoopNode(): Promise<void> {
  const device = (await runCommand("losetup", ["--find"])).trim();
  const [, number] = /^\/dev\/loop(\d+)$/u.exec(device) ?? [];
  if (number !== undefined && !existsSync(device)) await runCommand("mknod", [device, "b", "7", number]);
}

/** A mounted file system without our marker is a new pool or not ours; one with another uuid is another engine's. */
async function checkMarker({ mountPoint }: PoolPlace, uuid: string): Promise<string> {
  const marker = join(mountPoint, markerFile);
  if (!existsSync(marker)) {
    await writeFile(`${marker}.new`, `${uuid}\n`, { flush: true });
    await rename(`${marker}.new`, marker);
  }
  const found = await markedUuid(mountPoint);
  if (found !== uuid) throw new Error(`${marker} names pool ${found}, but pool ${uuid} is mounted there`);
  return uuid;
}

/**
 * A pool never shrinks: a smaller size in the configuration is ignored. Image, loop device and file system are each brought to the
 * size of the one below it, whatever an earlier growing that was cut short has left.
 */
async function growTo({ imageFile, mountPoint }: PoolPlace, sizeBytes: number, fileSystem: FileSystem): Promise<void> {
  const earlier = await stat(imageFile).catch(() => undefined);
  if (earlier === undefined) return; // taken away below a mount that goes on
  if (earlier.size < sizeBytes) {
    await using file = await open(imageFile, "r+");
    await file.truncate(sizeBytes);
  }
  const imageBytes = Math.max(earlier.size, sizeBytes);
  const usedBytes = await fileSystem.sizeBytes(mountPoint);
  // The file system's size is a multiple of its sectors.
  if (imageBytes - usedBytes < sectorBytes) return;
  const device = await loopDeviceOf(imageFile);
  if (device !== undefined) await runCommand("losetup", ["--set-capacity", device]);
  await fileSystem.grow(mountPoint);
}

const sectorBytes = 4096;
