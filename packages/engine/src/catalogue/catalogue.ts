import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Decoder } from "@vdb/dct";
import { schemaVersions } from "./schema.ts";

/**
 * What the engine knows, on disk. Every change is a transaction that is on stable storage when it returns; the calls are
 * synchronous (node:sqlite), each takes well under a millisecond plus the disk's flush.
 */
export interface Catalogue extends Disposable {
  /** All or nothing. Nested calls join the outer transaction. */
  transaction<T>(work: () => T): T;
  all<T>(decode: Decoder<T>, sql: string, ...parameters: readonly SQLInputValue[]): readonly T[];
  one<T>(decode: Decoder<T>, sql: string, ...parameters: readonly SQLInputValue[]): T | undefined;
  run(sql: string, ...parameters: readonly SQLInputValue[]): void;
  /** The next number of a sequence, never given twice. */
  next(sequence: string): number;
}

/** Another process has the catalogue open. */
export class CatalogueInUse extends Error {
  override readonly name = "CatalogueInUse";
}

export function openCatalogue(file: string): Catalogue {
  const db = open(file);
  let depth = 0;
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    db.exec("BEGIN IMMEDIATE");
    depth = 1;
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    } finally {
      depth = 0;
    }
  };
  const catalogue: Catalogue = {
    transaction,
    all: (decode, sql, ...parameters) =>
      db
        .prepare(sql)
        .all(...parameters)
        .map((row) => decode(row, "row")),
    one: (decode, sql, ...parameters) => {
      const row = db.prepare(sql).get(...parameters);
      return row === undefined ? undefined : decode(row, "row");
    },
    run: (sql, ...parameters) => void db.prepare(sql).run(...parameters),
    next: (sequence) => {
      const row = db
        .prepare("INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last")
        .get(sequence);
      return Number(row?.["last"]);
    },
    [Symbol.dispose]: () => db.close(),
  };
  return catalogue;
}

function open(file: string): DatabaseSync {
  // SQLite gives its side files the mode of this one: links made through the API keep their passwords here.
  closeSync(openSync(file, "a", 0o600));
  const db = new DatabaseSync(file);
  try {
    // Held for the life of the process: a second engine on the same folder must not start.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    migrate(db, file);
    return db;
  } catch (error) {
    db.close();
    if (String(error).includes("database is locked"))
      throw new CatalogueInUse(`${file} is in use: another engine runs on this folder`, { cause: error });
    throw error;
  }
}

/** Brings the tables of an earlier build into the present form. */
export function migrate(db: DatabaseSync, file: string): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > schemaVersions.length) {
    throw new Error(`${file} has schema version ${version}, and this engine knows ${schemaVersions.length}: run a newer engine`);
  }
  db.exec("BEGIN EXCLUSIVE");
  for (const schema of schemaVersions.slice(version)) db.exec(schema);
  db.exec(`PRAGMA user_version = ${schemaVersions.length}; COMMIT`);
}
