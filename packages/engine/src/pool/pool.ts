/** Where the data lies: a store of named folders that can be cloned at hardly any cost in time or bytes. */

/** What a pool is divided into; see places.ts. */
export const poolFolders = ["snapshots", "timeflows", "vdbs", "standbys", "work"] as const;
export type PoolFolder = (typeof poolFolders)[number];

/** The pool is one sparse file, mounted at one place. */
export interface PoolPlace {
  readonly imageFile: string;
  readonly mountPoint: string;
}

/** Proves to a reader of the mount point that the pool is really mounted there; holds the file system's uuid. */
export const markerFile = ".delphix-pool";

export interface Bytes {
  /** What would come free if this folder alone went away. */
  readonly exclusive: number;
  /** What a reader of it sees. */
  readonly total: number;
}

/**
 * Names look like `timeflows/1-APPDATA_TIMEFLOW-7`. Beside folders there are stable paths, `vdbs/1-APPDATA_CONTAINER-7`: each leads to
 * one folder, and may be pinned by somebody for years. Laws, held by every implementation (integration/pool.test.ts):
 * - `clone` is atomic and durable: afterwards the copy is there whole, after a crash it is there whole or not at all.
 * - a clone of a database that runs meanwhile is what a crash at some instant of the clone would leave: PostgreSQL recovers from it.
 *   Other files that are written meanwhile are each as of an instant, on btrfs all of the same one.
 * - a clone and its origin are independent from then on: each can be written or removed without the other's notice.
 * - `remove` of what is not there succeeds; after `remove`, `has` is false. Of a stable path it takes the path alone, not the folder.
 * - `swap` is atomic and durable: at every instant, also after a crash in its middle, the path leads to the old folder or to the new
 *   one, never to neither. No byte moves: who has the old folder open or mounted goes on with it.
 */
export interface Pool {
  /** The path under which a name is found. */
  pathOf(name: string): string;
  has(name: string): Promise<boolean>;
  /** Everything that lies in one of its parts, ours or not; sorted. */
  list(folder: PoolFolder): Promise<readonly string[]>;
  /** An empty folder. Throws when the name is taken. */
  create(name: string): Promise<void>;
  clone(from: string, to: string, mode: "writable" | "readOnly"): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes a stable path lead to this folder, whatever it led to before. Throws when there is no such folder. */
  swap(path: string, to: string): Promise<void>;
  /** The folder that a stable path leads to; undefined: there is no such path. */
  leadsTo(path: string): Promise<string | undefined>;
  /** Where on the node a folder is mounted, into pods most likely; sorted. */
  mountsOf(name: string): readonly string[];
  bytes(name: string): Promise<Bytes>;
  /** Bytes that can still be written. What was removed may take a while to come free; `settled` waits for it first. */
  freeBytes(when?: "now" | "settled"): Promise<number>;
}

/** The pool has too little free space for the request. */
export class TooLittleSpace extends Error {
  override readonly name = "TooLittleSpace";
  constructor(poolFolder: string, freeBytes: number, neededBytes: number, what: string) {
    super(
      `not enough free space in pool ${poolFolder} for ${what}: ${inMiB(freeBytes)} free, ${inMiB(neededBytes)} needed (reserve included); delete VDBs or snapshots, or raise the pool's size`,
    );
  }
}

const inMiB = (bytes: number): string => `${bytes} bytes (${Math.floor(bytes / 2 ** 20)} MiB)`;

type Whiles = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Throws TooLittleSpace unless `bytes` can be written and the reserve is still free afterwards. Where it seems short, what was removed is
 * waited for; `whileShort` can hold meanwhile what writes into the pool, so that it does not eat up the reserve.
 */
export async function requireFreeSpace(
  pool: Pool,
  reserveBytes: number,
  bytes: number,
  what: string,
  whileShort: Whiles = (work) => work(),
): Promise<void> {
  if ((await pool.freeBytes()) >= bytes + reserveBytes) return;
  const freeBytes = await whileShort(() => pool.freeBytes("settled"));
  if (freeBytes < bytes + reserveBytes) throw new TooLittleSpace(pool.pathOf(""), freeBytes, bytes + reserveBytes, what);
}
