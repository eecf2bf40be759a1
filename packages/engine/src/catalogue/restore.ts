/** A catalogue from a backup in the place of the one that is there. */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { object, string } from "@vdb/dct";
import { wordsOf } from "../failure.ts";
import { migrate, openCatalogue } from "./catalogue.ts";
import { schemaVersions } from "./schema.ts";

/** A backup that lies here takes the catalogue's place at the engine's next start: whoever can write it needs no other tool. */
export const stagedBackup = (folder: string): string => join(folder, "catalogue.restore");
const catalogueFile = (folder: string): string => join(folder, "catalogue.db");
/** What was there before stays, until the next restore. */
const replacedFile = (folder: string): string => join(folder, "catalogue.replaced.db");

/**
 * Ids were given away after the backup that it does not know of, and volumes or folders of the pool may carry them still. No sequence
 * gets so far in any other way.
 */
const skippedIds = 1_000_000;

export interface Backup {
  /** The uuid of the pool that its data lies in. */
  readonly pool: string | undefined;
  readonly vdbs: number;
  readonly snapshots: number;
}

/** What a file is a backup of; throws in words when it is none, or is damaged. */
export function readBackup(file: string): Backup {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const [damage] = db.prepare("PRAGMA integrity_check").all();
    if (damage?.["integrity_check"] !== "ok") throw new Error(String(damage?.["integrity_check"]));
    const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version < 2 || version > schemaVersions.length)
      throw new Error(`it has schema version ${version}, and this engine knows 2 to ${schemaVersions.length}`);
    const count = (table: string): number => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
    const { pool } = object({}, { pool: string })(db.prepare("SELECT pool FROM engine").get(), "engine");
    return { pool, vdbs: count("vdb"), snapshots: count("snapshot") };
  } catch (error) {
    throw new Error(`${file} is no backup of a catalogue: ${wordsOf(error)}`, {
      cause: error,
    });
  } finally {
    db.close();
  }
}

/**
 * Lays a backup where the next start of the engine finds it; whole or not at all. Throws when its data lies in another pool than the one
 * that is mounted, if one is.
 */
export async function stageBackup(folder: string, backup: Buffer, mountedPool: string | undefined): Promise<Backup> {
  const draft = `${stagedBackup(folder)}.new`;
  await writeFile(draft, backup, { mode: 0o600, flush: true });
  const facts = readBackup(draft);
  if (mountedPool !== undefined && facts.pool !== undefined && facts.pool !== mountedPool)
    throw new Error(
      `the backup's data is in pool ${facts.pool}, and pool ${mountedPool} is mounted: restore the backup of this pool`,
    );
  renameSync(draft, stagedBackup(folder));
  flush(folder);
  return facts;
}

/**
 * Puts a staged backup in the catalogue's place; false when there is none. Each step can be cut short: until the last rename the backup
 * lies where the next start looks for it.
 */
export function restoreStaged(folder: string): boolean {
  const [staged, file] = [stagedBackup(folder), catalogueFile(folder)];
  if (!existsSync(staged)) return false;
  readBackup(staged);
  // An engine that still runs has it locked, and goes on with what it has open.
  if (existsSync(file)) requireUnused(file);
  const db = new DatabaseSync(staged);
  migrate(db, staged);
  db.exec(`UPDATE counter SET last = last + ${skippedIds}`);
  // One file: what SQLite keeps beside it would not come along.
  db.exec("PRAGMA journal_mode = DELETE");
  db.close();
  const replaced = replacedFile(folder);
  rmSync(replaced, { force: true });
  // First: the log of one catalogue beside another would destroy it.
  for (const side of ["-wal", "-shm", ""]) if (existsSync(file + side)) renameSync(file + side, replaced + side);
  renameSync(staged, file);
  flush(dirname(file));
  return true;
}

/** A damaged catalogue is nobody's. */
function requireUnused(file: string): void {
  try {
    openCatalogue(file)[Symbol.dispose]();
  } catch (error) {
    if (error instanceof Error && error.name === "CatalogueInUse") throw error;
  }
}

function flush(folder: string): void {
  const handle = openSync(folder, "r");
  fsyncSync(handle);
  closeSync(handle);
}
