/** What says how to reach a source, as people write it: in the configuration, and to the API. */
import { DecodeError, type Decoder, exactObject, number, string } from "@vdb/dct";
import type { Connection } from "../catalogue/rows.ts";
import { hasControlCharacters } from "../link/secrets.ts";

/** Names are what people write after a colon and inside a filter: see resolveDataset and the filter builder of @vdb/dct. */
export const name: Decoder<string> = (value, at) => {
  const text = string(value, at);
  if (text.trim() !== text || text === "" || text.length > 256 || hasControlCharacters(text))
    throw new DecodeError(at, "is not a name: 1 to 256 characters, no control characters, no blanks at the ends");
  return text;
};

export const port: Decoder<number> = (value, at) => {
  if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > 65_535)
    throw new DecodeError(at, "a port from 1 to 65535 was expected");
  return number(value, at);
};

/** Its value is in no message. */
const password: Decoder<string> = (value, at) => {
  const text = string(value, at);
  if (hasControlCharacters(text)) throw new DecodeError(at, "holds control characters: it is no password");
  return text;
};

const sslmodes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export const sslmode: Decoder<string> = (value, at) => {
  if (!sslmodes.some((mode) => mode === value)) throw new DecodeError(at, `one of ${sslmodes.join(", ")} was expected`);
  return string(value, at);
};

const secretRef = exactObject({ name, key: name }, {});
export const secrets = { passwordSecret: secretRef, sslRootCertSecret: secretRef } as const;

/** Without its authority's certificate a server cannot be verified, and no program says so before it connects. */
export function requireAuthority(at: string, given: { readonly sslmode?: string; readonly sslRootCertSecret?: unknown }): void {
  if (given.sslmode?.startsWith("verify-") === true && given.sslRootCertSecret === undefined)
    throw new DecodeError(
      at,
      `sslmode ${given.sslmode} needs sslRootCertSecret {name, key}: the Secret that holds the certificate of the server's authority`,
    );
}

const decodeParameters = exactObject({ host: name, user: name }, { port, database: name, sslmode, password, ...secrets });

/** The `parameters` of a link asked for through the API. */
export const decodeNewConnection: Decoder<Connection> = (value, at) => {
  const connection = { port: 5432, sslmode: "prefer", ...decodeParameters(value, at) };
  requireAuthority(at, connection);
  return connection;
};
