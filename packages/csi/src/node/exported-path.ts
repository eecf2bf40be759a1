import { readFile, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { status } from "@grpc/grpc-js";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { type MountEntry, mountedAt } from "./mountinfo.ts";
import type { Mounts } from "./mounts.ts";
import type { VolumeData } from "./volume-data.ts";

/** The engine writes it into the root of its pool; it holds the pool's uuid. */
const marker = ".delphix-pool";

/** What the engine makes pools of. */
const poolFileSystems: ReadonlySet<string> = new Set(["btrfs", "xfs"]);

/** What a volume says about itself. */
export interface Volume {
  readonly directory: string;
  /** The uuid of the pool that it was made in; undefined: not known. */
  readonly pool: string | undefined;
}

/** A folder of the pool as the kernel will name it once it is bound somewhere. */
export interface Exported {
  readonly path: string;
  readonly device: string;
  readonly root: string;
}

/**
 * The folder that a volume stands for, proven to be in the mounted pool. Without that proof an unmounted pool, or a path that
 * is not there, would become an empty folder on the node's own disk, and PostgreSQL would find no database where one was.
 * Nor is a folder of another pool the volume's, even under the same path.
 * Nothing is created here, and nothing outside the pool is ever answered.
 */
export async function exportedPath(volume: Volume, poolDir: string, mounts: readonly MountEntry[]): Promise<Exported> {
  const { directory } = volume;
  if (directory !== resolve(directory) || !isBelow(directory, poolDir))
    throw invalidArgument(`exportedDataDirectory ${JSON.stringify(directory)} is not a folder below the pool ${poolDir}`);
  const pool = await mountedPool(poolDir, mounts, volume.pool);
  const real = await realpath(directory).catch((cause: unknown) => {
    throw new RpcError(
      status.NOT_FOUND,
      `${directory} does not exist in the pool: look in DCT whether its VDB still exists`,
      cause,
    );
  });
  if (!isBelow(real, pool.mountPoint)) throw invalidArgument(`${directory} leads out of the pool to ${real}`);
  if (!(await stat(real)).isDirectory()) throw new RpcError(status.FAILED_PRECONDITION, `${directory} is not a folder`);
  return { path: real, device: pool.device, root: join(pool.root, relative(pool.mountPoint, real)) };
}

/** The data of the embedded engine: a folder of the node. */
export const folderData = ({ path, device, root }: Exported, mounts: Pick<Mounts, "bind">): VolumeData => ({
  name: root,
  isShownBy: (mount) => mount.device === device && mount.root === root,
  mount: async (target, options) => await mounts.bind(path, target, options),
});

async function mountedPool(poolDir: string, mounts: readonly MountEntry[], wanted: string | undefined): Promise<MountEntry> {
  const real = await realpath(poolDir).catch((cause: unknown) => {
    throw notMounted(`${poolDir} does not exist`, cause);
  });
  const mount = mountedAt(mounts, real);
  if (mount === undefined || !poolFileSystems.has(mount.fileSystem))
    throw notMounted(`${poolDir} is not the mount point of a btrfs or xfs file system`);
  const uuid = await readFile(join(real, marker), "utf8").catch((cause: unknown) => {
    throw notMounted(`the file system at ${poolDir} does not hold ${marker}`, cause);
  });
  if (wanted !== undefined && uuid.trim() !== wanted)
    throw new RpcError(
      status.FAILED_PRECONDITION,
      `the volume is in pool ${wanted}, but pool ${uuid.trim()} is mounted at ${poolDir}: mount the volume's pool again, or delete its claim`,
    );
  return mount;
}

const notMounted = (why: string, cause?: unknown): RpcError =>
  new RpcError(
    status.UNAVAILABLE,
    `the engine's pool is not mounted on this node: ${why}; check that the engine runs here`,
    cause,
  );

const isBelow = (path: string, folder: string): boolean => path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
