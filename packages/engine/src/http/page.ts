import { badRequest } from "../refusal.ts";

export interface PageQuery {
  readonly limit: number;
  readonly sort: string;
  readonly cursor: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly response_metadata: { readonly total: number; readonly next_cursor?: string };
}

type Sortable = { readonly id: string };

const defaultLimit = 100;
const largestLimit = 1000;
const longestCursor = 4096;
/**
 * A page ends early before it grows beyond this: the caller follows its cursor. Otherwise a thousand objects with all the tags
 * that they may have would be tens of megabytes in this process's memory, for every caller at once.
 */
const largestPageBytes = 2 * 2 ** 20;

export function pageQueryOf(query: URLSearchParams, sortable: readonly string[], defaultSort: string): PageQuery {
  const limit = limitOf(query.get("limit"));
  const sort = query.get("sort") ?? defaultSort;
  if (!sortable.includes(sort.replace(/^-/u, "")))
    throw badRequest(`sort: must be one of ${sortable.join(", ")}, with "-" before it for descending order`);
  const cursor = query.get("cursor") ?? undefined;
  if (cursor !== undefined && (cursor.length === 0 || cursor.length > longestCursor))
    throw badRequest(`cursor: must have 1 to ${longestCursor} characters`);
  return { limit, sort, cursor };
}

/** Digits only: what else Number() takes for a number is a mistake of the caller. */
function limitOf(given: string | null): number {
  if (given === null) return defaultLimit;
  if (!/^[1-9]\d{0,3}$/u.test(given) || Number(given) > largestLimit)
    throw badRequest(`limit: must be a whole number from 1 to ${largestLimit}, in digits`);
  return Number(given);
}

/**
 * One page of a list. A cursor holds the place after which the next page begins, not a number of objects: an object that
 * comes or goes between two pages makes no other appear twice or not at all.
 */
export function pageOf<T extends Sortable>(all: readonly T[], { limit, sort, cursor }: PageQuery): Page<T> {
  const descending = sort.startsWith("-");
  const field = descending ? sort.slice(1) : sort;
  // Ids have an order of their own, below.
  const place = (object: T): Place => [field === "id" ? "" : key(Reflect.get(object, field)), object.id];
  const order = (a: Place, b: Place): number => (descending ? comparePlaces(b, a) : comparePlaces(a, b));
  const sorted = all.map((object) => ({ object, at: place(object) })).toSorted((a, b) => order(a.at, b.at));
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const rest = after === undefined ? sorted : sorted.filter(({ at }) => order(at, after) > 0);
  const shown = fitting(rest.slice(0, limit));
  const last = shown.at(-1);
  const more = rest.length > shown.length && last !== undefined ? { next_cursor: encodeCursor(last.at) } : {};
  return { items: shown.map(({ object }) => object), response_metadata: { total: all.length, ...more } };
}

/** The first of them, so many as a page may hold in bytes; one at least. */
function fitting<T>(placed: readonly { readonly object: T; readonly at: Place }[]): typeof placed {
  let bytes = 0;
  const end = placed.findIndex(({ object }, i) => {
    bytes += Buffer.byteLength(JSON.stringify(object));
    return i > 0 && bytes > largestPageBytes;
  });
  return end < 0 ? placed : placed.slice(0, end);
}

/** What an object is sorted by: the field, then the id, so that no two are equal. */
type Place = readonly [value: string | number, id: string];

function key(value: unknown): string | number {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" || typeof value === "string" ? value : "";
}

function comparePlaces([a, idA]: Place, [b, idB]: Place): number {
  const first = compare(a, b);
  // Ids end in a number: 2 comes before 10.
  return first === 0 ? idA.localeCompare(idB, "en", { numeric: true }) : first;
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

const encodeCursor = (at: Place): string => Buffer.from(JSON.stringify(at)).toString("base64url");

function decodeCursor(cursor: string): Place {
  try {
    const at: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(at) && (typeof at[0] === "string" || typeof at[0] === "number") && typeof at[1] === "string")
      return [at[0], at[1]];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest("cursor: must be a next_cursor of this engine");
}
