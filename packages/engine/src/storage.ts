import { statfsSync } from "node:fs";
import { chmod, mkdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "kube-runtime";
import type { Catalogue } from "./catalogue/catalogue.ts";
import { knowsData, poolUuid, recordPool } from "./catalogue/engine-row.ts";
import { takeOverCatalogue } from "./catalogue/take-over.ts";
import type { Settings } from "./config/settings.ts";
import type { FileSystemName } from "./pool/file-system.ts";
import { migrateTimeflows } from "./pool/migrate.ts";
import { markedUuid, mountAt, mountPool } from "./pool/mount.ts";
import { openPool } from "./pool/open.ts";
import type { Pool, PoolPlace } from "./pool/pool.ts";

/** The engine's folder on the host: catalogue and pool. */
export interface Storage extends Disposable {
  readonly catalogue: Catalogue;
  readonly pool: Pool;
  readonly fileSystem: FileSystemName;
  /** Mounts the pool if it is not, and grows it to the configured size. */
  ensureMounted(settings: Settings): Promise<void>;
  /** Undefined when everything can be used, else why not. */
  notReadyBecause(): Promise<string | undefined>;
  /** Kept free whatever is asked for, so that what runs already can go on writing, and deleting always works. */
  reserveBytes(settings: Settings): Promise<number>;
  /** How full the pool is. */
  figures(settings: Settings): StorageFigures;
}

export interface StorageFigures {
  /** Never more than what the disk below the sparse pool can hold. */
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly reserveBytes: number;
}

export const poolFolderIn = (folder: string): string => join(folder, "pool");

/** Less than a liveness probe waits. */
const formerEngineMs = 10_000;

export async function openStorage(folder: string, settings: Settings, log: Log): Promise<Storage> {
  await mkdir(folder, { recursive: true });
  // Readable for none but root, passable for the owner of the data inside the pool.
  await chmod(folder, 0o711);
  const place = { imageFile: join(folder, "pool.img"), mountPoint: poolFolderIn(folder) };
  // First, because its lock keeps a second engine away from the pool.
  const catalogue = await takeOverCatalogue(join(folder, "catalogue.db"), formerEngineMs, () =>
    log.warn({}, "the catalogue of a backup has taken the place of the one that was here; unfinished jobs of the backup go on"),
  );
  const { pool, fileSystem } = await open(catalogue, place, settings).catch((error: unknown) => {
    catalogue[Symbol.dispose]();
    throw error;
  });
  return {
    catalogue,
    pool,
    fileSystem,
    ensureMounted: async (changed) => {
      const now = await ensureMounted(catalogue, place, changed);
      if (now !== fileSystem)
        throw new Error(`the pool at ${place.mountPoint} is ${now}, and was ${fileSystem}: restart the engine to use it`);
    },
    notReadyBecause: () => notReadyBecause(catalogue, place.mountPoint),
    reserveBytes: async ({ reserveBytes }) => reserveBytes ?? defaultReserve(await statfs(place.mountPoint)),
    figures: (current) => figuresOf(place, current),
    [Symbol.dispose]: () => catalogue[Symbol.dispose](),
  };
}

async function open(
  catalogue: Catalogue,
  place: PoolPlace,
  settings: Settings,
): Promise<{ readonly pool: Pool; readonly fileSystem: FileSystemName }> {
  const fileSystem = await ensureMounted(catalogue, place, settings);
  const pool = await openPool(place, fileSystem);
  await migrateTimeflows(catalogue, pool);
  return { pool, fileSystem };
}

/** Catalogue and pool belong together: ids of one must never name what lies in another. */
async function ensureMounted(catalogue: Catalogue, place: PoolPlace, settings: Settings): Promise<FileSystemName> {
  const holdsData = knowsData(catalogue);
  const wanted = { sizeBytes: settings.poolSizeBytes, fileSystem: settings.poolFileSystem, holdsData };
  const { uuid, fileSystem } = await mountPool(place, wanted);
  const known = poolUuid(catalogue);
  if (known === uuid) return fileSystem;
  if (known !== undefined && holdsData) throw new Error(foreignPool(place.mountPoint, uuid, known));
  recordPool(catalogue, uuid);
  return fileSystem;
}

async function notReadyBecause(catalogue: Catalogue, mountPoint: string): Promise<string | undefined> {
  const mount = await mountAt(mountPoint);
  if (mount === undefined) return `the pool is not mounted at ${mountPoint}`;
  if (mount.isReadOnly)
    return `the pool at ${mountPoint} is read-only: ${mount.name} found an error; see the kernel's log on the node`;
  const [uuid, known] = [await markedUuid(mountPoint).catch(failedAsUndefined), poolUuid(catalogue)];
  if (uuid === undefined)
    return `the pool at ${mountPoint} cannot be read: ${mount.name} has shut down after an error; see the kernel's log on the node`;
  return uuid === known ? undefined : foreignPool(mountPoint, uuid, known);
}

/** After an error XFS refuses everything, where btrfs turns itself read-only. */
function failedAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code === "EIO") return undefined;
  throw error;
}

const foreignPool = (mountPoint: string, uuid: string, known: string | undefined): string =>
  `pool ${uuid} is mounted at ${mountPoint}, but the catalogue's data is in pool ${known}: put back the pool.img and the catalogue.db that belong together`;

function figuresOf({ mountPoint, imageFile }: PoolPlace, settings: Settings): StorageFigures {
  const [inside, below] = [statfsSync(mountPoint), statfsSync(dirname(imageFile))];
  const freeBytes = Math.min(inside.bavail * inside.bsize, below.bavail * below.bsize);
  const usedBytes = (inside.blocks - inside.bavail) * inside.bsize;
  return {
    capacityBytes: usedBytes + freeBytes,
    usedBytes,
    reserveBytes: settings.reserveBytes ?? defaultReserve(inside),
  };
}

const defaultReserve = ({ blocks, bsize }: { readonly blocks: number; readonly bsize: number }): number =>
  Math.max(256 * 2 ** 20, Math.floor(blocks * bsize * 0.02));
