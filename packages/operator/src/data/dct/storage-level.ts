import type { Engine } from "@vdb/dct";
import type { StorageLevel } from "../storage.ts";

type Figures = Pick<Engine, "data_storage_capacity" | "data_storage_used" | "data_storage_reserve">;

/** A DCT does not say what its engines keep free: this part of the capacity then stands for it. */
const usualReserve = 0.05;
/** A WAL segment of the usual size: PostgreSQL stops when it cannot make the next one. */
const fullBelowBytes = 16 * 2 ** 20;
/** A level is left with so much more room than it is entered with, so that it does not come and go. */
const margin = 1.25;

/** Undefined for an engine that gives no figures. `before`: its level at the last look. */
export function storageLevel(figures: Figures, before: StorageLevel | undefined): StorageLevel | undefined {
  const { data_storage_capacity: capacity, data_storage_used: used, data_storage_reserve: reserve } = figures;
  if (capacity === undefined || used === undefined || capacity <= 0) return undefined;
  const freeBytes = capacity - used;
  const reserveBytes = Math.max(reserve ?? capacity * usualReserve, fullBelowBytes);
  if (freeBytes < fullBelowBytes * (before === "full" ? margin : 1)) return "full";
  const wasShort = before === "full" || before === "nearlyFull";
  return freeBytes < reserveBytes * (wasShort ? margin : 1) ? "nearlyFull" : "roomLeft";
}
