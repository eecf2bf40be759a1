/** Holds the engine's tables to the API's public document: its names and bounds lie in packages/dct/public-names.json. */
import { deepEqual, ok, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { DecodeError, list, map, number, string } from "@vdb/dct";
import { parse } from "yaml";
import { filterFields, sortableFields } from "../collection.ts";
import { collections } from "../collections.ts";
import type { Route } from "../router.ts";
import { allRoutes } from "../routes.ts";
import type { ApiState } from "../state.ts";
import { isReserved } from "./reserved.ts";
import { type BodyRules, bodyDecoder } from "./rules.ts";

const file = (name: string): string => readFileSync(new URL(`../../../../dct/${name}`, import.meta.url), "utf8");
type Json = Readonly<Record<string, unknown>>;
const publicNames: Json = map(JSON.parse(file("public-names.json")), "public-names.json");
const at = (object: Json, ...path: readonly string[]): Json => path.reduce((inner, step) => map(inner[step], step), object);
const names = (of: string, key: string): readonly string[] => list(string)(at(publicNames, of)[key] ?? [], key);

const unused: Partial<ApiState> = {};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the tables are looked at: no route runs, so no state is needed
const routes = allRoutes(unused as ApiState);
const keyOf = ({ method, path }: Route): string => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}`;
const route = (key: string): Route => {
  const found = routes.find((one) => keyOf(one) === key);
  ok(found, `${key} is not served`);
  return found;
};

/** Names that newer versions of the public document have beside those of 3.5.0. */
const later: Readonly<Record<string, readonly string[]>> = {
  "POST /vdbs/provision_by_snapshot": ["masked", "container_mode", "cache_priority"],
  "POST /vdbs/{id}/delete": ["delete_all_dependent_vdbs", "move_to_recycle_bin"],
  "POST /vdbs/{id}/enable": ["container_mode", "ownership_spec"],
  "POST /vdbs/{id}/disable": ["container_mode"],
  "POST /dsources/delete": ["delete_all_dependent_vdbs"],
  "POST /dsources/{id}/snapshots": ["appdata_parameters"],
  "POST /bookmarks": ["bookmark_type", "vdb_group_id", "inherit_parent_tags"],
};

describe("bodies", () => {
  for (const [key, fields] of Object.entries(at(publicNames, "bodies"))) {
    const bounds = map(fields, key);
    const { body } = route(key);

    test(`${key} knows every field of the public document, and no other`, () => {
      deepEqual(Object.keys(body).toSorted(), [...Object.keys(bounds), ...(later[key] ?? [])].toSorted());
    });

    for (const [field, bound] of Object.entries(bounds)) {
      const rule = body[field];
      // A filter says by itself how long it may be, and as of a newer version.
      if (rule?.kind !== "served" || !Array.isArray(bound) || field === "filter_expression") continue;
      test(`${key} holds the bounds of ${field}`, () => {
        const longest = number(bound[1], field);
        ok(rule.decode("é".repeat(longest), field));
        for (const bad of ["", "é".repeat(longest + 1), "a\0b", "\ud800", "a\nb"])
          throws(() => rule.decode(bad, field), DecodeError);
      });
    }
  }

  for (const one of routes.filter(({ method }) => method !== "GET")) {
    test(`${keyOf(one)} refuses what it does not serve, by name, and lets through what asks for nothing`, () => {
      refuses(one.body, "no_such_field", null);
      for (const [field, { kind }] of Object.entries(one.body)) {
        if (kind !== "refused") continue;
        refuses(one.body, field, true);
        refuses(one.body, field, [{}]);
        refuses(one.body, field, 0);
        for (const nothing of [null, false, "", [], {}])
          bodyDecoder(one.body)(withNeeded(one.body, { [field]: nothing }), "body");
      }
    });
  }

  test("what openapi.yaml describes is what is served", () => {
    const openapi = map(parse(file("openapi.yaml")), "openapi");
    for (const one of routes.filter(({ method }) => method === "POST")) {
      const [, path = ""] = keyOf(one).split(" ");
      const described = at(openapi, "paths", path, "post")["requestBody"];
      const fields = described === undefined ? [] : Object.keys(at(schemaOf(openapi, described), "properties"));
      const served = Object.entries(one.body).flatMap(([field, { kind }]) => (kind === "served" ? [field] : []));
      deepEqual(served.toSorted(), fields.toSorted(), path);
    }
  });
});

const refuses = (rules: BodyRules, field: string, value: unknown): void =>
  throws(() => bodyDecoder(rules)(withNeeded(rules, { [field]: value }), "body"), new RegExp(`body\\.${field}: is not`, "u"));

/** With something in the fields that have to be there. */
const withNeeded = (rules: BodyRules, more: Json): Json => ({
  ...Object.fromEntries(
    Object.entries(rules).flatMap(([field, rule]) =>
      rule.kind === "served" && rule.required ? [[field, field === "parameters" ? {} : "x"]] : [],
    ),
  ),
  ...more,
});

function schemaOf(openapi: Json, requestBody: unknown): Json {
  const schema = at(map(requestBody, "requestBody"), "content", "application/json", "schema");
  return resolved(openapi, schema);
}

const resolved = (openapi: Json, schema: Json): Json =>
  typeof schema["$ref"] === "string" ? at(openapi, ...schema["$ref"].split("/").slice(1)) : schema;

describe("queries and paths", () => {
  for (const key of Object.keys(at(publicNames, "queries"))) {
    test(`${key} knows every query parameter of the public document`, () => {
      const known = Object.keys(route(key).query);
      deepEqual(
        names("queries", key).filter((one) => !known.includes(one)),
        [],
      );
    });
  }

  test("no word of the public document's paths is taken for an id", () => {
    deepEqual(
      list(string)(publicNames["words"], "words").filter((word) => !isReserved(word)),
      [],
    );
  });
});

describe("searching and sorting", () => {
  const openapi = map(parse(file("openapi.yaml")), "openapi");
  for (const { path, fields } of collections) {
    const served = servedFields(openapi, path);

    test(`${path} is searched by every field that is served and that the public document allows`, () => {
      const wanted = names("filter", path).filter((field) => served.includes(field));
      deepEqual(
        wanted.filter((field) => !Object.hasOwn(filterFields(fields), field)),
        [],
      );
    });

    test(`${path} is sorted by every field that is served and that the public document allows`, () => {
      const wanted = names("sort", path).filter((field) => served.includes(field));
      deepEqual(
        wanted.filter((field) => !sortableFields(fields).includes(field)),
        [],
      );
    });

    test(`${path} is searched and sorted by fields that are served, alone`, () => {
      deepEqual(
        Object.keys(fields).filter((field) => !served.includes(field)),
        [],
      );
    });
  }
});

/** The properties of a collection's objects in openapi.yaml, with those of the objects inside them. */
function servedFields(openapi: Json, path: string): readonly string[] {
  const page = at(openapi, "paths", path, "get", "responses", "200", "content", "application/json", "schema");
  const parts = Array.isArray(page["allOf"]) ? page["allOf"] : [];
  const items = parts.flatMap((part) => {
    const { properties } = map(part, "part");
    return properties === undefined ? [] : [at(map(properties, "properties"), "items", "items")];
  });
  return items.flatMap((schema) => propertiesOf(openapi, schema));
}

function propertiesOf(openapi: Json, given: Json): readonly string[] {
  const schema = resolved(openapi, given);
  const parts = Array.isArray(schema["allOf"]) ? schema["allOf"].flatMap((part) => propertiesOf(openapi, map(part, "part"))) : [];
  const own = Object.entries(map(schema["properties"] ?? {}, "properties")).flatMap(([field, property]) => {
    const { items } = map(property, field);
    const inner = items === undefined ? [] : propertiesOf(openapi, map(items, field));
    return [field, ...inner.map((one) => `${field}.${one}`)];
  });
  return [...parts, ...own];
}
