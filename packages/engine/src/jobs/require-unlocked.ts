import type { VdbRow } from "../catalogue/rows.ts";
import { conflict } from "../refusal.ts";

/** Throws while somebody has locked the VDB: nobody takes its data away, not even with the same key. */
export function requireUnlocked({ name, locked_by }: Pick<VdbRow, "name" | "locked_by">): void {
  if (locked_by !== undefined) throw conflict(`VDB ${name} is locked by account ${locked_by}: unlock it first`);
}
