/** What people may write, in the configuration and to the API: one rule for both. Lengths count characters, as JSON Schema does. */
import { isIP } from "node:net";
import { DecodeError, type Decoder, isQuotable, list, map, number, object, string } from "@vdb/dct";

/** The longest name and id of the API's public document. */
export const longestName = 256;

/** Half of a surrogate pair cannot be stored as UTF-8, and what turns the direction of writing makes one name look like another. */
const unfit = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** One line of text, 1 to `longest` characters. */
export const text =
  (longest: number): Decoder<string> =>
  (value, at) => {
    const given = string(value, at);
    if (given === "") throw new DecodeError(at, `is empty: it must have 1 to ${longest} characters`);
    // No character takes more than two units: a very long text is not walked through.
    if (given.length > 2 * longest || Array.from(given).length > longest)
      throw new DecodeError(at, `is too long: it may have at most ${longest} characters`);
    if (!given.isWellFormed()) throw new DecodeError(at, "contains half of a surrogate pair: it is not Unicode text");
    if (unfit.test(given)) throw new DecodeError(at, "contains control characters, line ends or marks of writing direction");
    return given;
  };

/** An id that somebody sends; whether there is such an object is asked afterwards. */
export const id = text(longestName);

/**
 * The name of an object: what stands after a colon in a manifest and inside a filter (see resolveDataset and isQuotable), and
 * never leads out of a folder.
 */
export const name: Decoder<string> = (value, at) => {
  const given = text(longestName)(value, at);
  if (given.trim() !== given) throw new DecodeError(at, "is not a name: it begins or ends with a blank");
  if (/[/\\]/u.test(given) || given === "." || given === "..")
    throw new DecodeError(at, "is not a name: it contains a slash or a backslash, or is . or ..");
  if (!isQuotable(given))
    throw new DecodeError(at, "is not a name: it contains both kinds of quotes, so that no filter can search for it");
  return given;
};

/** A folder on a machine. */
export const folder: Decoder<string> = (value, at) => {
  const given = text(longestName)(value, at);
  if (given.split("/").includes("..")) throw new DecodeError(at, "contains .., which leads out of a folder");
  return given;
};

/** An instant, as RFC 3339 writes it. */
export const dateTime: Decoder<string> = (value, at) => {
  const given = text(64)(value, at);
  const wellFormed = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/iu.test(given);
  if (!wellFormed || Number.isNaN(Date.parse(given)))
    throw new DecodeError(at, "is not a date-time such as 2026-01-31T12:00:00.000Z");
  return given;
};

/** A day, as RFC 3339 writes it. */
export const date: Decoder<string> = (value, at) => {
  const given = text(10)(value, at);
  const time = /^\d{4}-\d{2}-\d{2}$/u.test(given) ? Date.parse(given) : Number.NaN;
  // The 31st of a short month would be read as a day of the next one.
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(given))
    throw new DecodeError(at, "is not a date such as 2026-01-31");
  return given;
};

/** A place in PostgreSQL's log. */
export const location: Decoder<string> = (value, at) => {
  const given = text(longestName)(value, at);
  if (!/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/iu.test(given)) throw new DecodeError(at, "is not a location (LSN) such as 0/5000028");
  return given;
};

export const wholeNumber: Decoder<number> = (value, at) => {
  const given = number(value, at);
  if (!Number.isSafeInteger(given)) throw new DecodeError(at, "must be a whole number");
  return given;
};

/** Several ids, each once. */
export const ids: Decoder<readonly string[]> = (value, at) => {
  const given = list(id)(value, at);
  if (given.length > mostTags) throw new DecodeError(at, `has too many entries: at most ${mostTags} are allowed`);
  if (new Set(given).size < given.length) throw new DecodeError(at, "contains an id twice");
  return given;
};

/** One machine. libpq would take a path for a socket's folder, and commas for several machines. */
export const host: Decoder<string> = (value, at) => {
  const given = text(253)(value, at);
  if (isIP(given) === 0 && !/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/u.test(given))
    throw new DecodeError(at, "is not a host: it must be one DNS name or IP address, without a path, a port, blanks or commas");
  return given;
};

/** What Kubernetes allows as the name of a Secret and as a key in it: they become parts of a path. */
export const secretWord: Decoder<string> = (value, at) => {
  const given = text(253)(value, at);
  if (!/^[A-Za-z0-9._-]+$/u.test(given) || /^\.+$/u.test(given))
    throw new DecodeError(at, "is not a name that Kubernetes allows: use letters, digits, -, _ and .");
  return given;
};

const mostTags = 1_000;
export const tagText = text(4_000);
const oneTag = object({ key: tagText, value: tagText }, {});
/** All tags of an object together: every list gives them out. */
export const tagBytes = 32 * 1024;

export const tags: Decoder<readonly { readonly key: string; readonly value: string }[]> = (value, at) => {
  if (Array.isArray(value) && value.length > mostTags)
    throw new DecodeError(at, `has too many entries: at most ${mostTags} are allowed`);
  const given = list(oneTag)(value, at);
  requireBytes(given, at, tagBytes);
  return given;
};

/** Parameters in a form that somebody else defines. They are kept, and given out with their object. */
export const freeFormBytes = 16 * 1024;
const deepest = 32;

export const freeForm: Decoder<Readonly<Record<string, unknown>>> = (value, at) => {
  const given = map(value, at);
  requireJson(given, at, deepest);
  requireBytes(given, at, freeFormBytes);
  return given;
};

function requireBytes(value: unknown, at: string, most: number): void {
  if (Buffer.byteLength(JSON.stringify(value)) > most)
    throw new DecodeError(at, `is too large: it may have at most ${most} bytes as JSON`);
}

/** Comes out of the catalogue as it went in: nothing that JSON, UTF-8 or the stack of this process would not carry. */
function requireJson(value: unknown, at: string, levels: number): void {
  if (levels === 0) throw new DecodeError(at, `is nested deeper than ${deepest} levels`);
  if (typeof value === "number" && !Number.isFinite(value)) throw new DecodeError(at, "contains a number that is too large");
  if (typeof value === "string") requireStorable(value, at);
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    requireStorable(key, at);
    requireJson(inner, at, levels - 1);
  }
}

function requireStorable(given: string, at: string): void {
  if (given.includes("\0") || !given.isWellFormed()) throw new DecodeError(at, "contains a NUL or half of a surrogate pair");
}
