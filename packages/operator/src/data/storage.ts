import type { PostgresVDB } from "@vdb/api";
import type { Trigger } from "kube-runtime";

/**
 * How full a storage is.
 * - roomLeft: free space for copies, snapshots and growing databases.
 * - nearlyFull: only what is kept for databases that run is left.
 * - full: no free space for PostgreSQL's next WAL segment.
 */
export type StorageLevel = "roomLeft" | "nearlyFull" | "full";

/** The storage that databases lie on: one periodic query for all of them. */
export interface StorageWatch {
  /** Looks while the controller runs; wakes the databases of a storage whose level has changed, and those whose bytes have moved. */
  readonly trigger: Trigger;
  /** That of a database. Undefined before its place is known, and where the place gives no figures. */
  readonly of: (vdb: PostgresVDB) => Storage | undefined;
  /** What is known of every storage by now. */
  readonly figures: () => readonly StorageFigures[];
  /** What a database's data takes. Undefined before its first look, and where nobody counts it. */
  readonly bytesOf: (vdb: PostgresVDB) => VdbBytes | undefined;
}

export interface VdbBytes {
  /** That this database alone holds. */
  readonly own: number;
  /** That it has in common with its source, or with others. */
  readonly shared: number;
}

/** Pure: whether its own bytes are worth a write of the status: each one wakes whoever watches the database. */
export const haveMoved = (told: number | undefined, ownBytes: number): boolean =>
  told === undefined || Math.abs(ownBytes - told) > Math.max(told / 10, 2 ** 20);

export interface Storage {
  /** The engine's name, as the manifest has it. */
  readonly engine: string;
  /** "unknown": DCT has not answered yet. */
  readonly level: StorageLevel | "unknown";
}

export interface StorageFigures {
  readonly engine: string;
  readonly capacityBytes: number | undefined;
  readonly usedBytes: number | undefined;
}
