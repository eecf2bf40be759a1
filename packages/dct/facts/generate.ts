#!/usr/bin/env node
/**
 * Reads the API's public document and writes facts.json: paths, methods, parameters, fields, types, enums and what is required. Tests
 * hold the engine and the client to it. No prose of the document is kept.
 *
 *   node packages/dct/facts/generate.ts DOCUMENT.yaml
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { exit, stderr } from "node:process";
import { parse } from "yaml";
import { map, string } from "../src/decode.ts";

type Json = Readonly<Record<string, unknown>>;

/** The collections that this project knows; the rest of the API is not its business. */
const collections = [
  "bookmarks",
  "dsources",
  "environments",
  "groups",
  "jobs",
  "management/engines",
  "snapshots",
  "sources",
  "timeflows",
  "vdbs",
];
const methods = ["get", "post", "put", "patch", "delete"];
/** What says which values are right; the rest is prose or belongs to generators of code. */
const kept = [
  "type",
  "format",
  "enum",
  "pattern",
  "nullable",
  "default",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "uniqueItems",
  "required",
];

const [file] = process.argv.slice(2);
if (file === undefined) {
  stderr.write("usage: node packages/dct/facts/generate.ts DOCUMENT.yaml\n");
  exit(2);
}
const text = readFileSync(file, "utf8");
const document: Json = map(parse(text, { maxAliasCount: -1 }), "document");

const at = (path: string): Json =>
  path
    .split("/")
    .slice(1)
    .reduce<Json>((inner, step) => map(inner[step], path), document);
const resolved = (value: unknown): Json => {
  const given = map(value, "value");
  return typeof given["$ref"] === "string" ? at(given["$ref"]) : given;
};
const entries = (value: unknown): readonly (readonly [string, unknown])[] => Object.entries(map(value ?? {}, "value"));
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Models are kept by name, so that each stands there once. */
const models = new Map<string, Json>();

function schemaOf(value: unknown): Json {
  const given = map(value, "schema");
  if (typeof given["$ref"] === "string") {
    const name = given["$ref"].split("/").at(-1) ?? "";
    if (!models.has(name)) {
      models.set(name, {}); // a model may contain itself
      models.set(name, schemaOf(at(given["$ref"])));
    }
    return { $ref: name };
  }
  const own = Object.fromEntries(kept.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]));
  const properties = entries(given["properties"]).map(([name, inner]) => [name, schemaOf(inner)]);
  return {
    ...own,
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
    ...(given["items"] === undefined ? {} : { items: schemaOf(given["items"]) }),
    ...(Array.isArray(given["allOf"]) ? { allOf: given["allOf"].map(schemaOf) } : {}),
  };
}

function operationOf(operation: Json): Json {
  const parameters = (Array.isArray(operation["parameters"]) ? operation["parameters"] : []).map(resolved);
  const query = parameters.filter((one) => one["in"] === "query");
  const requestBody = operation["requestBody"] === undefined ? undefined : resolved(operation["requestBody"]);
  const answers = entries(operation["responses"]).map(([status, answer]) => {
    const content = resolved(answer)["content"];
    return [status, content === undefined ? null : schemaOf(jsonOf(content))];
  });
  return {
    ...(query.length === 0
      ? {}
      : {
          query: Object.fromEntries(
            query.map((one) => [
              one["name"],
              { ...(one["required"] === true ? { needed: true } : {}), ...schemaOf(one["schema"]) },
            ]),
          ),
        }),
    ...(requestBody === undefined
      ? {}
      : { body: schemaOf(jsonOf(requestBody["content"])), bodyRequired: requestBody["required"] === true }),
    answers: Object.fromEntries(answers),
    ...filterOf(operation),
  };
}

const jsonOf = (content: unknown): unknown => map(map(content, "content")["application/json"], "content")["schema"];

function filterOf(operation: Json): Json {
  if (operation["x-filterable"] === undefined) return {};
  const fields = entries(map(operation["x-filterable"], "x-filterable")["fields"]).flatMap(([name, field]) => {
    const inner = entries(map(field, name)["fields"]);
    return inner.length === 0 ? [name] : inner.map(([one]) => `${name}.${one}`);
  });
  return { filter: fields };
}

const words = new Set<string>();
const operations = entries(document["paths"]).flatMap(([path, operationsOfPath]) => {
  const collection = collections.find((one) => path === `/${one}` || path.startsWith(`/${one}/`));
  if (collection === undefined) return [];
  const [next = ""] = path.slice(collection.length + 2).split("/");
  if (next !== "" && !next.startsWith("{")) words.add(next);
  return methods.flatMap((method) => {
    const operation = map(operationsOfPath, path)[method];
    // How a path names its parameters is not seen on the wire.
    const key = `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/gu, "{}")}`;
    return operation === undefined ? [] : [[key, operationOf(map(operation, key))] as const];
  });
});

const info = map(document["info"], "info");
const about = {
  about: "Facts of the API's public document, made by generate.ts. Do not edit.",
  version: string(info["version"], "version"),
  sha256: createHash("sha256").update(text).digest("hex"),
  words: [...words].toSorted(),
};
const lines = (facts: readonly (readonly [string, Json])[]): string =>
  facts
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join(",\n");
const named = [...models].filter(([, model]) => !isEmpty(model));
writeFileSync(
  new URL("facts.json", import.meta.url),
  `${JSON.stringify(about).slice(0, -1)},\n"operations":{\n${lines(operations)}\n},\n"models":{\n${lines(named)}\n}}\n`,
);
