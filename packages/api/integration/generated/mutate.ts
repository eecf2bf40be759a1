import * as fc from "fast-check";
import { at, isObject, type Json, parsePath, withValue } from "../testing/json.ts";

/** What people and programs get wrong: a value of another kind, too much, too little, nothing, a misspelt name. */
const strange = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, "", " ", "x", "Pg_Port", "no-such", "a\nb", "'quoted'", "-1", "0", "1d", "x".repeat(320)),
  fc.constantFrom<unknown>(-1, 0, 1, 1023, 49_152, 86_401, 2 ** 31, 1.5, true, false),
  fc.constantFrom<unknown>([], {}, ["x"], { x: "y" }),
  fc.string({ unit: "binary", maxLength: 30 }).filter((text) => text.isWellFormed()),
);

export interface Mutant {
  readonly how: string;
  readonly spec: unknown;
}

/** The spec with one thing changed at one place. */
export const mutantOf = (spec: Json): fc.Arbitrary<Mutant> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...placesIn("", spec)), strange).map(([path, value]) => replaced(spec, path, value)) },
    { weight: 1, arbitrary: fc.constantFrom(...objectsIn("", spec)).map((path) => replaced(spec, `${path}${path === "" ? "" : "."}mispelt`, "x")) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...placesIn("", spec)), fc.constantFrom(...placesIn("", spec))).map(([to, from]) => replaced(spec, to, at(spec, ...parsePath(from)))) },
  );

const replaced = (spec: Json, path: string, value: unknown): Mutant => ({
  how: `${path} := ${JSON.stringify(value) ?? "absent"}`,
  spec: withValue(spec, parsePath(path), value),
});

function placesIn(path: string, value: unknown): string[] {
  const inner = childrenOf(path, value).flatMap(([childPath, child]) => placesIn(childPath, child));
  return path === "" ? inner : [path, ...inner];
}

const objectsIn = (path: string, value: unknown): string[] => [
  ...(isObject(value) ? [path] : []),
  ...childrenOf(path, value).flatMap(([childPath, child]) => objectsIn(childPath, child)),
];

function childrenOf(path: string, value: unknown): (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [`${path}[${index}]`, item] as const);
  if (!isObject(value)) return [];
  return Object.entries(value).map(([name, child]) => [path === "" ? name : `${path}.${name}`, child] as const);
}
