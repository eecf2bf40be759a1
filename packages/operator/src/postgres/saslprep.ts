import * as tables from "./generated/stringprep-tables.ts";

/**
 * Prepares a password as PostgreSQL and libpq do before SCRAM (RFC 4013 with PostgreSQL's deviations).
 *
 * Guarantees: equal to the server's own preparation for every text, so that a verifier made here is opened by the password
 * that a client types. A text that the RFC prohibits is used as it is, as both ends of PostgreSQL do.
 */
export function saslPrepare(password: string): string {
  if (isAscii(password)) return password; // PostgreSQL skips the whole preparation, control characters included
  const mapped = Array.from(password, (character) => mapCharacter(character)).join("");
  if (mapped === "") return password;
  // The RFC looks at the normalised text; PostgreSQL at the text before it, and a verifier has to agree with PostgreSQL.
  return isAcceptable(Array.from(mapped, codePoint)) ? mapped.normalize("NFKC") : password;
}

const isAscii = (text: string): boolean => Array.from(text, codePoint).every((code) => code < 0x80);
const codePoint = (character: string): number => character.codePointAt(0) ?? 0;

const nonAsciiSpace = matcher(tables.nonAsciiSpace);
const mappedToNothing = matcher(tables.mappedToNothing);
const prohibited = matcher(tables.prohibited);
const unassigned = matcher(tables.unassigned);
const rightToLeft = matcher(tables.rightToLeft);
const leftToRight = matcher(tables.leftToRight);

function mapCharacter(character: string): string {
  const code = codePoint(character);
  if (nonAsciiSpace(code)) return " ";
  return mappedToNothing(code) ? "" : character;
}

function isAcceptable(codes: readonly number[]): boolean {
  if (codes.some((code) => prohibited(code) || unassigned(code))) return false;
  if (!codes.some((code) => rightToLeft(code))) return true;
  // RFC 3454 section 6: right-to-left text must not be mixed, and must begin and end as such.
  return !codes.some((code) => leftToRight(code)) && rightToLeft(codes.at(0) ?? 0) && rightToLeft(codes.at(-1) ?? 0);
}

type Range = readonly [from: number, to: number];

/** Whether a code point is in a table: a binary search over its ranges, which are sorted. */
function matcher(table: string): (code: number) => boolean {
  const ranges = table.split(" ").map((text): Range => {
    const [from = "", to = from] = text.split("-");
    return [Number.parseInt(from, 16), Number.parseInt(to, 16)];
  });
  return (code) => {
    let [low, high] = [0, ranges.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const [from, to] = ranges[middle] ?? [0, 0];
      if (code < from) high = middle - 1;
      else if (code > to) low = middle + 1;
      else return true;
    }
    return false;
  };
}
