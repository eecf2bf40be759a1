import { deepEqual, match } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { kinds } from "./kinds.ts";
import type { Schema } from "./schema.ts";
import { sourceTypes } from "./vdb/source.ts";

const folder = join(import.meta.dirname, "../../../samples");
type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

const samples = globSync("*.yaml", { cwd: folder }).map((file) => {
  const text = readFileSync(join(folder, file), "utf8");
  const object: unknown = parse(text);
  return { file, text, object: isObject(object) ? object : {} };
});

test("each sample begins by saying what it does", () => {
  for (const { file, text } of samples) match(text, /^# [A-Z].{20,}/u, file);
});

test("one sample at least per kind and per source type", () => {
  const seen = new Set(samples.map(({ object }) => object["kind"]));
  deepEqual(
    kinds.map(({ kind }) => kind).filter((kind) => !seen.has(kind)),
    [],
  );
  const types = new Set(samples.map(({ object }) => at(object, ["spec", "source", "type"])));
  deepEqual(
    sourceTypes.filter((type) => !types.has(type)),
    [],
  );
});

test("every field of every spec stands in a sample, and no sample has another", () => {
  for (const kind of kinds) {
    const given = samples
      .filter(({ object }) => object["kind"] === kind.kind)
      .flatMap(({ object }) => pathsOf("spec", kind.spec, object["spec"]));
    const declared = declaredIn("spec", kind.spec);
    deepEqual(
      {
        kind: kind.kind,
        missing: declared.filter((path) => !given.includes(path)),
        strange: given.filter((path) => !declared.includes(path)),
      },
      { kind: kind.kind, missing: [], strange: [] },
    );
  }
});

function declaredIn(path: string, schema: Schema): string[] {
  if ("properties" in schema)
    return Object.entries(schema.properties).flatMap(([name, field]) => [
      `${path}.${name}`,
      ...declaredIn(`${path}.${name}`, field),
    ]);
  return "items" in schema ? declaredIn(`${path}[]`, schema.items) : [];
}

function pathsOf(path: string, schema: Schema | undefined, value: unknown): string[] {
  if (Array.isArray(value))
    return value.flatMap((item) => pathsOf(`${path}[]`, schema && "items" in schema ? schema.items : undefined, item));
  if (!isObject(value) || (schema !== undefined && "type" in schema && (schema.type === "map" || schema.type === "foreign")))
    return [];
  const fields = schema !== undefined && "properties" in schema ? schema.properties : {};
  return Object.entries(value).flatMap(([name, inner]) => [
    `${path}.${name}`,
    ...pathsOf(`${path}.${name}`, fields[name], inner),
  ]);
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}
