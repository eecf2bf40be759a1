/**
 * API keys by name. The catalogue holds what a key is recognized by, never the key. A key is 256 random bits, so that its plain SHA-256
 * gives it away to nobody, and looking the hash up tells nobody by its time how much of a guess was right.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Decoded, object, string } from "@vdb/dct";
import { conflict } from "../refusal.ts";
import type { Catalogue } from "./catalogue.ts";

const decodeApiKeyRow = object({ name: string, created: string }, { last_used: string });
export type ApiKeyRow = Decoded<typeof decodeApiKeyRow>;

const columns = "name, created, last_used";
const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");
/** Looks like DCT's: `1.` and letters and digits. */
const newKey = (): string => `1.${randomBytes(32).toString("hex")}`;

/** A new key; this is the only time that anybody sees it. Throws a conflict when there is one of this name. */
export const addApiKey = (catalogue: Catalogue, name: string): string =>
  catalogue.transaction(() => {
    if (apiKeys(catalogue).some((one) => one.name === name))
      throw conflict(`there is an API key ${name} already: choose another name, or revoke it first`);
    return replaceApiKey(catalogue, name);
  });

/** A new key in the place of the one of this name, if there is one, which is valid no longer. */
export function replaceApiKey(catalogue: Catalogue, name: string): string {
  const key = newKey();
  recordApiKey(catalogue, name, key);
  return key;
}

/** Makes a key valid that somebody has already. */
export const recordApiKey = (catalogue: Catalogue, name: string, key: string): void =>
  catalogue.run(
    "INSERT OR REPLACE INTO api_key (name, hash, created) VALUES (?, ?, ?)",
    name,
    hashOf(key),
    new Date().toISOString(),
  );

/** False: there is no such key. */
export const revokeApiKey = (catalogue: Catalogue, name: string): boolean =>
  catalogue.transaction(() => {
    const known = apiKeys(catalogue).some((one) => one.name === name);
    catalogue.run("DELETE FROM api_key WHERE name = ?", name);
    return known;
  });

export const apiKeys = (catalogue: Catalogue): readonly ApiKeyRow[] =>
  catalogue.all(decodeApiKeyRow, `SELECT ${columns} FROM api_key ORDER BY name`);

/** The name of a valid key; undefined: it is none. */
export const nameOfApiKey = (catalogue: Catalogue, key: string): string | undefined => rowOf(catalogue, key)?.name;

const rowOf = (catalogue: Catalogue, key: string): ApiKeyRow | undefined =>
  catalogue.one(decodeApiKeyRow, `SELECT ${columns} FROM api_key WHERE hash = ?`, hashOf(key));

/** Precise enough to tell which key nobody uses, and no write to the disk for every request. */
const usedMs = 3_600_000;

/** As nameOfApiKey, and remembers that the key was used. */
export function useApiKey(catalogue: Catalogue, key: string, now = new Date()): string | undefined {
  const row = rowOf(catalogue, key);
  if (row !== undefined && (row.last_used === undefined || now.getTime() - Date.parse(row.last_used) > usedMs))
    remember(catalogue, row.name, now);
  return row?.name;
}

function remember(catalogue: Catalogue, name: string, now: Date): void {
  try {
    catalogue.run("UPDATE api_key SET last_used = ? WHERE name = ?", now.toISOString(), name);
  } catch {
    // A disk that is full must not lock out who comes to delete something.
  }
}
