import type { PostgresVDB } from "@vdb/api";
import type { Trigger } from "kube-runtime";

/**
 * How full a storage is.
 * - roomLeft: copies, snapshots and growing databases find room.
 * - nearlyFull: only what is kept for databases that run is left.
 * - full: PostgreSQL finds no room for its next WAL segment.
 */
export type StorageLevel = "roomLeft" | "nearlyFull" | "full";

/** The storage that databases lie on: one question for all of them, again and again. */
export interface StorageWatch {
  /** Looks while the controller runs; wakes the databases of a storage whose level has changed. */
  readonly trigger: Trigger;
  /** That of a database. Undefined before its place is known, and where the place gives no figures. */
  readonly of: (vdb: PostgresVDB) => Storage | undefined;
  /** What is known of every storage by now. */
  readonly figures: () => readonly StorageFigures[];
}

export interface Storage {
  /** The engine's name, as the manifest has it. */
  readonly engine: string;
  /** "unknown": nobody has answered yet. */
  readonly level: StorageLevel | "unknown";
}

export interface StorageFigures {
  readonly engine: string;
  readonly capacityBytes: number | undefined;
  readonly usedBytes: number | undefined;
}
