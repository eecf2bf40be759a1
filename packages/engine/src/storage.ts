import { chmod, mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type Catalogue, openCatalogue } from "./catalogue/catalogue.ts";
import type { Settings } from "./config/settings.ts";
import { btrfsPool } from "./pool/btrfs.ts";
import { isMounted, mountPool } from "./pool/mount.ts";
import type { Pool } from "./pool/pool.ts";

/** The engine's folder on the host: catalogue and pool. */
export interface Storage extends Disposable {
  readonly catalogue: Catalogue;
  readonly pool: Pool;
  /** Mounts the pool if it is not, and grows it to the configured size. */
  ensureMounted(settings: Settings): Promise<void>;
  /** Undefined when everything can be used, else why not. */
  notReadyBecause(): Promise<string | undefined>;
  /** Kept free whatever is asked for, so that what runs already can go on writing, and deleting always works. */
  reserveBytes(settings: Settings): Promise<number>;
}

export async function openStorage(folder: string, settings: Settings): Promise<Storage> {
  await mkdir(folder, { recursive: true });
  // Readable for none but root, passable for the owner of the data inside the pool.
  await chmod(folder, 0o711);
  const place = { imageFile: join(folder, "pool.img"), mountPoint: join(folder, "pool") };
  // First, because its lock keeps a second engine away from the pool.
  const catalogue = openCatalogue(join(folder, "catalogue.db"));
  try {
    await mountPool(place, settings.poolSizeBytes);
  } catch (error) {
    catalogue[Symbol.dispose]();
    throw error;
  }
  return {
    catalogue,
    pool: btrfsPool(place.mountPoint, place.imageFile),
    ensureMounted: ({ poolSizeBytes }) => mountPool(place, poolSizeBytes),
    notReadyBecause: async () =>
      (await isMounted(place.mountPoint)) ? undefined : `the pool is not mounted at ${place.mountPoint}`,
    reserveBytes: async ({ reserveBytes }) => reserveBytes ?? defaultReserve(await statfs(place.mountPoint)),
    [Symbol.dispose]: () => catalogue[Symbol.dispose](),
  };
}

const defaultReserve = ({ blocks, bsize }: { readonly blocks: number; readonly bsize: number }): number =>
  Math.max(256 * 2 ** 20, Math.floor(blocks * bsize * 0.02));
