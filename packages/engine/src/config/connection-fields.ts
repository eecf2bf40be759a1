/** What says how to reach a source, as people write it: in the configuration, and to the API. */
import { DecodeError, type Decoder, exactObject, map, number } from "@vdb/dct";
import type { DSourceConnection } from "../catalogue/rows.ts";
import { syncs } from "../link/sync.ts";
import { host, longestName, secretWord, text } from "../text-rules.ts";

export const port: Decoder<number> = (value, at) => {
  if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > 65_535)
    throw new DecodeError(at, "must be a port from 1 to 65535");
  return number(value, at);
};

/** Its value is in no message. Long enough for a token. */
const password = text(4_096);

const sslmodes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export const sslmode = oneOf(sslmodes);
export const sync = oneOf(syncs);

/** A role's and a database's name is any text to PostgreSQL. */
export const user = text(longestName);
export const database = text(longestName);

const secretRef = exactObject({ name: secretWord, key: secretWord }, {});
export const secrets = { passwordSecret: secretRef, sslRootCertSecret: secretRef } as const;

/** Without its authority's certificate a server cannot be verified, and no program says so before it connects. */
export function requireAuthority(at: string, given: { readonly sslmode?: string; readonly sslRootCertSecret?: unknown }): void {
  if (given.sslmode?.startsWith("verify-") === true && given.sslRootCertSecret === undefined)
    throw new DecodeError(
      at,
      `sslmode ${given.sslmode} needs sslRootCertSecret {name, key}: the Secret with the certificate of the server's authority`,
    );
}

const decodeParameters = exactObject({ host, user }, { port, database, sslmode, password, sync, ...secrets });

/** `empty: true` in place of all this: see NoConnection. */
export const asksForNothing = (value: unknown, at: string): boolean => "empty" in map(value, at);
export const emptySource: Decoder<true> = (value, at) => {
  if (value !== true) throw new DecodeError(at, "must be true, or left out");
  return value;
};
const decodeNothing = exactObject({ empty: emptySource }, {});

/** The `parameters` of a link asked for through the API. */
export const decodeNewConnection: Decoder<DSourceConnection> = (value, at) => {
  if (asksForNothing(value, at)) return decodeNothing(value, at);
  const connection = { port: 5432, sslmode: "prefer", ...decodeParameters(value, at) };
  requireAuthority(at, connection);
  return connection;
};

/** A word out of a list. */
export function oneOf<const Word extends string>(words: readonly Word[]): Decoder<Word> {
  return (value, at) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new DecodeError(at, `must be one of ${words.join(", ")}`);
    return found;
  };
}
