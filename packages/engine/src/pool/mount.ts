/** The pool's file system: a btrfs in one sparse file, mounted where every node plugin and pod finds it. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runCommand } from "../command.ts";
import { poolFolders } from "./pool.ts";

export interface PoolPlace {
  readonly imageFile: string;
  readonly mountPoint: string;
}

/** Proves to a reader of the mount point that the pool is really mounted there; holds the file system's uuid. */
export const markerFile = ".delphix-pool";

export interface PoolWanted {
  /** Undefined: whatever it has, or a default for a new one. */
  readonly sizeBytes?: number | undefined;
  /** Whether data is known to lie in the pool: then it has to be there, and none is made in its place. */
  readonly holdsData: boolean;
}

/**
 * Makes the pool if there is none, grows it to `sizeBytes`, mounts it unless it is mounted; answers its uuid. The mount outlives
 * the process: VDBs go on while the engine is restarted.
 */
export async function mountPool(place: PoolPlace, { sizeBytes, holdsData }: PoolWanted): Promise<string> {
  const { imageFile, mountPoint } = place;
  await mkdir(mountPoint, { recursive: true });
  const mounted = (await mountAt(mountPoint)) !== undefined;
  if (!mounted && !existsSync(imageFile)) {
    if (holdsData)
      throw new Error(
        `${imageFile} is missing, but the catalogue lists data in it: put it back, or remove the catalogue too to begin with nothing`,
      );
    await makeImage(imageFile, sizeBytes ?? (await defaultSizeBytes(imageFile)));
  }
  if (!mounted) await attach(place);
  const uuid = await checkMarker(place);
  await growTo(place, sizeBytes ?? 0);
  for (const folder of poolFolders) await mkdir(join(mountPoint, folder), { recursive: true, mode: 0o711 });
  return uuid;
}

/** What is mounted on top at `mountPoint`, if anything: mountinfo lists in order, the last one is on top. */
export async function mountAt(mountPoint: string): Promise<{ readonly isReadOnly: boolean } | undefined> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.split(" ")[4] === mountPoint);
  const top = lines.at(-1);
  if (top === undefined) return undefined;
  const [mount = "", fileSystem = ""] = top.split(" - ");
  if (!fileSystem.startsWith("btrfs ")) throw new Error(`another file system is mounted at ${mountPoint}: unmount it (${top})`);
  // Of the mount, and of the file system: btrfs turns itself read-only after an error.
  const options = [mount.split(" ")[5], fileSystem.split(" ").at(-1)];
  return { isReadOnly: options.some((list) => list?.split(",").includes("ro")) };
}

/** The uuid that the marker of a mounted pool names. */
export const markedUuid = async (mountPoint: string): Promise<string> =>
  (await readFile(join(mountPoint, markerFile), "utf8")).trim();

async function defaultSizeBytes(imageFile: string): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(imageFile));
  return Math.min(20 * 2 ** 30, Math.floor((bavail * bsize * 0.8) / 2 ** 20) * 2 ** 20);
}

/** Under a temporary name first: a half-made image must never be taken for a pool. */
async function makeImage(imageFile: string, sizeBytes: number): Promise<void> {
  const draft = `${imageFile}.new`;
  await rm(draft, { force: true });
  await using file = await open(draft, "w", 0o600);
  await file.truncate(sizeBytes);
  await runCommand("mkfs.btrfs", ["--quiet", "--uuid", randomUUID(), "--label", "delphix-pool", draft]);
  await file.sync();
  await rename(draft, imageFile);
}

/**
 * One loop device per image, ever: two of them on one file would be two file systems that overwrite each other. So a device
 * that is left over from a mount elsewhere is used again. `mount -o loop` frees its device with the last unmount.
 */
async function attach({ imageFile, mountPoint }: PoolPlace): Promise<void> {
  const device = await loopDeviceOf(imageFile);
  if (device === undefined) await ensureFreeLoopNode();
  const options = device === undefined ? "loop,noatime" : "noatime";
  await runCommand("mount", ["-t", "btrfs", "-o", options, device ?? imageFile, mountPoint]).catch(async (error: unknown) => {
    throw (await kernelHas("btrfs")) ? error : new Error(noBtrfs, { cause: error });
  });
}

/** To be asked after a mount has failed: that makes the kernel load its module, if it has one. */
export async function kernelHas(fileSystem: string): Promise<boolean> {
  const known = (await readFile("/proc/filesystems", "utf8")).split("\n").map((line) => line.split("\t").at(-1));
  return known.includes(fileSystem);
}

const noBtrfs =
  "the kernel of this node has no btrfs, which the embedded engine keeps its pool on (RHEL and OpenShift have none): run the engine on a node that has it, or do without the engine (engine.enabled: false) and take databases from sources k8s-snapshot, pvc-clone or pvc-adopt on a CSI driver of your storage";

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
async function checkMarker({ mountPoint }: PoolPlace): Promise<string> {
  const [, uuid] = /uuid: ([0-9a-f-]{36})/u.exec(await runCommand("btrfs", ["filesystem", "show", mountPoint])) ?? [];
  if (uuid === undefined) throw new Error(`btrfs filesystem show names no uuid for ${mountPoint}`);
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
async function growTo({ imageFile, mountPoint }: PoolPlace, sizeBytes: number): Promise<void> {
  const earlier = await stat(imageFile).catch(() => undefined);
  if (earlier === undefined) return; // taken away below a mount that goes on
  if (earlier.size < sizeBytes) {
    await using file = await open(imageFile, "r+");
    await file.truncate(sizeBytes);
  }
  const imageBytes = Math.max(earlier.size, sizeBytes);
  const show = await runCommand("btrfs", ["filesystem", "show", "--raw", mountPoint]);
  const usedBytes = Number(/devid +1 size (\d+)/u.exec(show)?.[1]);
  // The file system's size is a multiple of its sectors.
  if (imageBytes - usedBytes < sectorBytes) return;
  const device = await loopDeviceOf(imageFile);
  if (device !== undefined) await runCommand("losetup", ["--set-capacity", device]);
  await runCommand("btrfs", ["filesystem", "resize", "max", mountPoint]);
}

const sectorBytes = 4096;
