import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../kinds.ts";
import type { Schema } from "../schema.ts";
import { limitOf } from "./limits.ts";

/** Every node of every kind with its path. */
function nodes(path: string, schema: Schema): { path: string; schema: Schema }[] {
  const inner =
    "properties" in schema
      ? Object.entries(schema.properties).map(([name, field]) => [`${path}.${name}`, field] as const)
      : "items" in schema
        ? [[`${path}[]`, schema.items] as const]
        : "values" in schema
          ? [[`${path}.*`, schema.values] as const]
          : [];
  return [{ path, schema }, ...inner.flatMap(([innerPath, field]) => nodes(innerPath, field))];
}
const all = kinds.flatMap((kind) => [...nodes(`${kind.kind}.spec`, kind.spec), ...nodes(`${kind.kind}.status`, kind.status)]);
const spec = all.filter(({ path }) => path.includes(".spec"));
const where = (found: readonly { path: string }[]): string[] => found.map(({ path }) => path);

test("every field has a description that ends as a sentence: kubectl explain shows nothing else", () => {
  deepEqual(where(all.filter(({ schema }) => !/[.)]$/u.test(schema.description))), []);
});

test("every limit says what is allowed and gives an example: the message is made of them", () => {
  const mute = spec.filter(({ schema }) => limitOf(schema).some(({ message = "" }) => /must be ,|for example $/u.test(message)));
  deepEqual(where(mute), []);
});

test("every rule of one's own gives an example or tells what to do", () => {
  const mute = spec.flatMap(({ path, schema }) =>
    (schema.rules ?? [])
      .filter(({ message = "" }) => !/for example|: |leave/u.test(message))
      .map(({ message }) => `${path}: ${message}`),
  );
  deepEqual(mute, []);
});

test("every text of a spec has a length, and every list a size: CEL's cost is counted with them", () => {
  const open = spec.filter(
    ({ schema }) => "type" in schema && schema.type === "string" && schema.enum === undefined && schema.maxLength === undefined,
  );
  deepEqual(where(open), []);
});

test("examples and defaults keep the limits that they explain", () => {
  const wrong = spec.filter(({ schema }) => {
    if (!("type" in schema)) return false;
    if (schema.type === "string") return ![schema.example, schema.default].every((text) => keepsPattern(schema.pattern, text));
    if (schema.type !== "integer") return false;
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
    return [schema.example, schema.default].some((value) => typeof value === "number" && (value < minimum || value > maximum));
  });
  deepEqual(where(wrong), []);
});

const keepsPattern = (pattern: string | undefined, text: unknown): boolean =>
  pattern === undefined || typeof text !== "string" || new RegExp(pattern, "u").test(text);
