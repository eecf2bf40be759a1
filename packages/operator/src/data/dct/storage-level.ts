import type { Engine } from "@vdb/dct";
import type { StorageLevel } from "../storage.ts";

type Figures = Pick<Engine, "data_storage_capacity" | "data_storage_used" | "data_storage_reserve">;

/** The reserve, as a part of the capacity, of engines that do not report theirs. */
const usualReserve = 0.05;
/** A WAL segment of the usual size: PostgreSQL stops when it cannot make the next one. */
const fullBelowBytes = 16 * 2 ** 20;
/** A level ends with this much more free space than it begins with, so that it does not flap. */
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
