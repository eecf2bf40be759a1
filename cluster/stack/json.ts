/** What kubectl prints with -o json, read by paths: the tests and the demo look at a few fields of many kinds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export function parseJson(printed: string): Json {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse gives nothing but this
  return JSON.parse(printed) as Json;
}

/** The value at a path of names and indexes; undefined where the path ends early. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let here = value;
  for (const step of path)
    here = isObject(here) ? here[step] : Array.isArray(here) ? (here as readonly Json[])[Number(step)] : undefined;
  return here;
}

/** The text at a path; "" when there is none. */
export function text(value: Json | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return found === undefined || found === null ? "" : typeof found === "string" ? found : JSON.stringify(found);
}

/** The list at a path; empty when there is none. */
export function items(value: Json | undefined, ...path: readonly (string | number)[]): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
}

/** The entries of the object at a path, values as texts. */
export function entries(value: Json | undefined, ...path: readonly (string | number)[]): readonly (readonly [string, string])[] {
  const found = at(value, ...path);
  return isObject(found) ? Object.keys(found).map((key) => [key, text(found, key)] as const) : [];
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
