/**
 * Holds the engine's tables and openapi.yaml to the facts of the API's public document (packages/dct/facts): operations, parameters, fields,
 * types, bounds, enums and what is required. Every difference stands here by name, with its reason; one that is gone fails, too.
 */
import { deepEqual, doesNotThrow, ok, throws } from "node:assert/strict";
import { describe, test } from "node:test";
import { list, map, string } from "@vdb/dct";
import { factDocument, flat, newerAnswers, ownDocument } from "@vdb/dct/testing";
import { filterFields, sortableFields } from "../collection.ts";
import { collections } from "../collections.ts";
import type { Route } from "../router.ts";
import { allRoutes } from "../routes.ts";
import type { ApiState } from "../state.ts";
import { isReserved } from "./reserved.ts";
import { bodyDecoder, type Rule } from "./rules.ts";

type Json = Readonly<Record<string, unknown>>;
const factOf = (key: string): Json | undefined => {
  const fact = factDocument.operations[key];
  return fact === undefined ? undefined : map(fact, key);
};

const unused: Partial<ApiState> = {};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the tables are looked at: no route runs, so no state is needed
const routes = allRoutes(unused as ApiState);
const keyOf = ({ method, path }: Route): string => `${method} ${path.replaceAll(/:\w+/gu, "{}")}`;
const ownOf = ({ method, path }: Route): Json =>
  map(map(ownDocument.paths[path.replaceAll(/:(\w+)/gu, "{$1}")], path)[method.toLowerCase()], path);
const served = routes.map((route) => ({ route, key: keyOf(route), fact: factOf(keyOf(route)), own: ownOf(route) }));

/** Served, and not in version 3.5.0 of the public document. */
const newerOperations: Readonly<Record<string, string>> = {
  "POST /vdbs/{}/undo_refresh": "of newer versions",
  "GET /vdbs/{}/deletion-dependencies": "of newer versions",
  "GET /snapshots/{}/deletion-dependencies": "of newer versions",
  "POST /snapshots/{}/delete": "of newer versions",
  "GET /snapshots/{}/runtime": "of newer versions",
  "GET /jobs/{}/result": "of newer versions",
};

const otherDatabase = "it belongs to another database";
const configured = "the configuration of the engine declares its engine, groups and environments";
const noVdbGroups = "this engine has no VDB groups";
/** In the public document, and not served. */
const notServed: Readonly<Record<string, string>> = {
  "DELETE /environments/{}": configured,
  "DELETE /environments/{}/hosts/{}": configured,
  "DELETE /environments/{}/users/{}": configured,
  "DELETE /management/engines/{}": configured,
  "GET /bookmarks/{}/vdb-groups": noVdbGroups,
  "GET /snapshots/{}/timeflow_range": "this engine has snapshots alone, no log between them",
  "GET /sources/{}/staging_compatible_repositories": "the engine itself holds the copy: there is no staging environment",
  "GET /timeflows/{}/timeflowSnapshotDayRange": "a search of snapshots by timeflow_id and timestamp tells it",
  "PATCH /environments/{}": configured,
  "PATCH /environments/{}/hosts/{}": configured,
  "PATCH /environments/{}/repository/{}": configured,
  "PATCH /timeflows/{}": "a timeflow is named after its origin; use tags",
  "POST /bookmarks/{}/vdb-groups/search": noVdbGroups,
  "POST /dsources/appdata/defaults": "the parameters of a link name a database that the engine does not know yet",
  "POST /dsources/ase": otherDatabase,
  "POST /dsources/ase/defaults": otherDatabase,
  "POST /dsources/oracle": otherDatabase,
  "POST /dsources/oracle/defaults": otherDatabase,
  "POST /environments": configured,
  "POST /environments/{}/disable": configured,
  "POST /environments/{}/enable": configured,
  "POST /environments/{}/hosts": configured,
  "POST /environments/{}/refresh": configured,
  "POST /environments/{}/users": configured,
  "POST /environments/{}/users/{}/primary": configured,
  "POST /management/engines": configured,
  "POST /management/engines/{}/validate/java-path": configured,
  "PUT /environments/{}/users/{}": configured,
  "PUT /management/engines/{}": configured,
};

describe("operations", () => {
  test("every operation of the public document is served, or is named here with a reason", () => {
    const keys = new Set(served.map(({ key }) => key));
    deepEqual(
      Object.keys(factDocument.operations).filter((key) => !keys.has(key)),
      Object.keys(notServed).toSorted(),
    );
  });

  test("every operation that is served is of the public document, or is named here", () => {
    const newer = served.filter(({ fact }) => fact === undefined).map(({ key }) => key);
    deepEqual(newer.toSorted(), Object.keys(newerOperations).toSorted());
  });

  test("no word of the public document's paths is taken for an id", () => {
    const words = list(string)(factDocument.words, "words");
    deepEqual(
      words.filter((word) => !isReserved(word)),
      [],
    );
  });
});

/** Query parameters: what we take, `name: type`, that the document does not have for the operation. */
const newerParameters: Readonly<Record<string, readonly string[]>> = {
  "GET /vdbs/{}/snapshots": ["sort"],
  "GET /dsources/{}/snapshots": ["sort"],
};

describe("query parameters", () => {
  for (const { route, key, fact, own } of served) {
    if (fact === undefined) continue;
    const wanted = map(fact["query"] ?? {}, key);

    test(`${key} takes those of the public document`, () => {
      deepEqual(Object.keys(route.query).toSorted(), [...Object.keys(wanted), ...(newerParameters[key] ?? [])].toSorted());
      for (const { name, required = false, schema } of queryOf(own)) {
        const given = map(wanted[name] ?? {}, name);
        if (newerParameters[key]?.includes(name)) continue;
        deepEqual(required, given["needed"] ?? false, `${name} is required`);
        const { needed: _needed, ...facts } = flat(factDocument.models, given);
        // A field that no object has cannot be sorted by: searching and sorting are compared below.
        deepEqual(
          name === "sort" ? schema["type"] : comparable(schema),
          name === "sort" ? facts["type"] : comparable(facts),
          name,
        );
      }
    });
  }
});

interface Parameter {
  readonly name: string;
  readonly required: unknown;
  readonly schema: Json;
}

const queryOf = (own: Json): readonly Parameter[] =>
  (Array.isArray(own["parameters"]) ? own["parameters"] : []).flatMap((one) => {
    const given = resolved(map(one, "parameter"));
    return given["in"] === "query"
      ? [{ name: string(given["name"], "name"), required: given["required"], schema: map(given["schema"], "schema") }]
      : [];
  });

const resolved = (given: Json): Json =>
  typeof given["$ref"] === "string" ? map(ownDocument.parameters[given["$ref"].split("/").at(-1) ?? ""], "parameter") : given;

/** What says which values are right. */
const comparable = (schema: Json): Json =>
  Object.fromEntries(
    ["type", "format", "enum", "minLength", "maxLength", "minimum", "maximum"].flatMap((key) =>
      schema[key] === undefined ? [] : [[key, schema[key]]],
    ),
  );

/** Fields of bodies that newer versions of the public document have beside those of 3.5.0. */
const newerProvisionFields = ["masked", "container_mode", "cache_priority"];
const newerFields: Readonly<Record<string, readonly string[]>> = {
  "POST /vdbs/provision_by_snapshot": newerProvisionFields,
  "POST /vdbs/provision_by_timestamp": newerProvisionFields,
  "POST /vdbs/provision_by_location": newerProvisionFields,
  "POST /vdbs/provision_from_bookmark": newerProvisionFields,
  "POST /vdbs/{}/delete": ["delete_all_dependent_vdbs", "move_to_recycle_bin"],
  "POST /vdbs/{}/enable": ["container_mode", "ownership_spec"],
  "POST /vdbs/{}/disable": ["container_mode"],
  "POST /vdbs/{}/start": ["instances"],
  "POST /vdbs/{}/stop": ["instances", "abort"],
  "PATCH /vdbs/{}": ["cache_priority", "description"],
  "PATCH /bookmarks/{}": ["bookmark_type"],
  "POST /dsources/delete": ["delete_all_dependent_vdbs"],
  "POST /dsources/{}/snapshots": ["appdata_parameters"],
  "POST /bookmarks": ["bookmark_type", "vdb_group_id", "inherit_parent_tags"],
};

/** Required here, and not in the public document: nothing can be done without. */
const requiredHere: Readonly<Record<string, readonly string[]>> = {
  "POST /dsources/appdata": ["group_id", "name", "parameters"],
  "POST /vdbs/{}/switch_timeflow": ["timeflow_id"],
};
/** Required in the public document, and not here. */
const optionalHere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "POST /dsources/appdata": {
    source_id: "parameters name the source",
    environment_user: "nothing runs on the source's machine",
  },
};

/** Texts that the public document allows, and that the engine refuses, by the field's name. */
const narrower: Readonly<Record<string, string>> = {
  location: "it has to be an LSN of PostgreSQL",
};

describe("bodies", () => {
  for (const { route, key, fact } of served) {
    if (fact?.["body"] === undefined) continue;
    const schema = flat(factDocument.models, map(fact["body"], key));
    const fields = map(schema["properties"] ?? {}, key);

    test(`${key} knows every field of the public document, and no other`, () => {
      deepEqual(Object.keys(route.body).toSorted(), [...Object.keys(fields), ...(newerFields[key] ?? [])].toSorted());
    });

    test(`${key} needs what the public document requires`, () => {
      const wanted = list(string)(schema["required"] ?? [], key).filter((one) => optionalHere[key]?.[one] === undefined);
      const needed = Object.entries(route.body).flatMap(([name, rule]) => (isNeeded(rule) ? [name] : []));
      deepEqual(needed.toSorted(), [...new Set([...wanted, ...(requiredHere[key] ?? [])])].toSorted());
    });

    for (const [name, field] of Object.entries(fields)) {
      const rule = route.body[name];
      // A filter says by itself what it may be, and may be as long as in newer versions.
      if (rule === undefined || rule.kind === "refused" || name === "filter_expression") continue;
      test(`${key} takes for ${name} what the public document allows, alone`, () => {
        const { right, wrong } = examplesOf(flat(factDocument.models, map(field, name)));
        if (narrower[name] === undefined) for (const value of right) doesNotThrow(() => rule.decode(value, name));
        for (const value of wrong) throws(() => rule.decode(value, name), JSON.stringify(value)?.slice(0, 100));
      });
    }
  }

  for (const one of routes.filter(({ method }) => method !== "GET")) {
    test(`${keyOf(one)} refuses what it does not serve, by name, and lets through what asks for nothing`, () => {
      for (const [field, { kind }] of Object.entries(one.body)) {
        if (kind !== "refused") continue;
        for (const value of [true, [{}], 0])
          throws(
            () => bodyDecoder(one.body)(withNeeded(one, { [field]: value }), "body"),
            new RegExp(`body\\.${field}: is not`, "u"),
          );
        for (const nothing of [null, false, "", [], {}]) bodyDecoder(one.body)(withNeeded(one, { [field]: nothing }), "body");
      }
    });
  }
});

const isNeeded = (rule: Rule): boolean => rule.kind === "served" && rule.required;

interface Examples {
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
}

/** Values at the edges of what a schema allows, and just beyond. */
function examplesOf(schema: Json): Examples {
  const { type, format, enum: words, minLength, maxLength, minimum, maximum } = schema;
  if (Array.isArray(words)) return { right: words, wrong: ["NO_SUCH_WORD", 1, true, [], {}] };
  switch (type) {
    case "boolean":
      return { right: [true, false], wrong: ["true", 1, [], {}] };
    case "integer":
      return {
        right: [minimum ?? 1, maximum ?? 2].filter((one) => one !== null),
        wrong: ["1", 1.5, true, [], {}, ...(typeof minimum === "number" ? [minimum - 1] : [])],
      };
    case "array":
      return { right: [[]], wrong: ["x", 1, true, {}] };
    case "object":
      return { right: [{}], wrong: ["x", 1, true, []] };
    case "string": {
      const others = [1, true, [], {}, "a\0b", "\ud800", "a\nb"];
      if (format === "date-time")
        return { right: ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123+02:00"], wrong: ["now", ...others] };
      if (format === "date") return { right: ["2026-02-28"], wrong: ["2026-02-30", "2026-01-31T12:00:00Z", ...others] };
      return {
        right: typeof maxLength === "number" ? ["é".repeat(maxLength), "x"] : ["x"],
        wrong: [
          ...others.slice(0, typeof minLength === "number" ? undefined : 4),
          ...(typeof minLength === "number" ? ["é".repeat(minLength - 1)] : []),
          ...(typeof maxLength === "number" ? ["é".repeat(maxLength + 1)] : []),
        ],
      };
    }
    default:
      throw new Error(`no examples for type ${String(type)}`);
  }
}

/** With something in the fields that have to be there. */
const withNeeded = ({ body }: Route, more: Json): Json => ({
  ...Object.fromEntries(
    Object.entries(body).flatMap(([field, rule]) =>
      isNeeded(rule) ? [[field, field === "parameters" ? {} : field === "tags" ? [{ key: "k", value: "v" }] : "x"]] : [],
    ),
  ),
  ...more,
});

describe("openapi.yaml", () => {
  for (const { route, key, fact, own } of served) {
    test(`${key} is described as it is served`, () => {
      const body = own["requestBody"] === undefined ? undefined : schemaIn(map(own["requestBody"], key));
      const described = flat(ownDocument.models, body ?? {});
      const fields = Object.entries(route.body).flatMap(([field, { kind }]) => (kind === "served" ? [field] : []));
      deepEqual(Object.keys(map(described["properties"] ?? {}, key)).toSorted(), fields.toSorted());
      const needed = Object.entries(route.body).flatMap(([name, rule]) => (isNeeded(rule) ? [name] : []));
      deepEqual(list(string)(described["required"] ?? [], key).toSorted(), needed.toSorted());
      if (fact?.["body"] === undefined) return;
      const wanted = map(flat(factDocument.models, map(fact["body"], key))["properties"] ?? {}, key);
      for (const [name, field] of Object.entries(map(described["properties"] ?? {}, key)))
        if (wanted[name] !== undefined && name !== "filter_expression")
          deepEqual(comparable(map(field, name)), comparable(flat(factDocument.models, map(wanted[name], name))), name);
    });

    if (fact === undefined) continue;
    test(`${key} answers as the public document says`, () => {
      const [status = "", answer] = Object.entries(map(own["responses"], key))[0] ?? [];
      const newer = newerAnswers[key];
      if (newer !== undefined) {
        deepEqual(Number(status), newer.status);
        return;
      }
      const wanted = map(fact["answers"], key);
      deepEqual(Object.keys(wanted), [status]);
      const content = map(answer, key)["content"];
      if (wanted[status] === null) deepEqual(content, undefined);
      else sameTypes(schemaIn(map(answer, key)), map(wanted[status], key), key);
    });
  }
});

const schemaIn = (withContent: Json): Json =>
  map(map(map(withContent["content"], "content")["application/json"], "json")["schema"], "schema");

/** Every field that both have is of the same type, in the objects inside them, too. */
function sameTypes(own: Json, wanted: Json, at: string, depth = 0): void {
  ok(depth < 8, `${at} is nested too deep`);
  const [ours, theirs] = [flat(ownDocument.models, own), flat(factDocument.models, wanted)];
  const typeOf = (schema: Json): unknown => schema["type"] ?? (schema["properties"] === undefined ? undefined : "object");
  deepEqual(
    [typeOf(ours), ours["format"], ours["enum"]],
    [typeOf(theirs), theirs["format"] === "int_64" ? "int64" : theirs["format"], theirs["enum"]],
    `${at}: type, format and enum`,
  );
  if (ours["items"] !== undefined && theirs["items"] !== undefined)
    sameTypes(map(ours["items"], at), map(theirs["items"], at), `${at}[]`, depth + 1);
  const properties = map(theirs["properties"] ?? {}, at);
  for (const [name, field] of Object.entries(map(ours["properties"] ?? {}, at)))
    if (properties[name] !== undefined) sameTypes(map(field, name), map(properties[name], name), `${at}.${name}`, depth + 1);
}

describe("searching and sorting", () => {
  for (const { path, fields } of collections) {
    const names = servedFields(path);
    const search = factOf(`POST ${path}/search`);
    const sorts = map(map(search?.["query"], "query")["sort"], "sort");

    test(`${path} is searched by every field that is served and that the public document allows`, () => {
      const wanted = list(string)(search?.["filter"] ?? [], path).filter((field) => names.includes(field));
      deepEqual(
        wanted.filter((field) => !Object.hasOwn(filterFields(fields), field)),
        [],
      );
    });

    test(`${path} is sorted by every field that is served and that the public document allows`, () => {
      const wanted = list(string)(sorts["enum"] ?? [], path).filter((field) => names.includes(field));
      deepEqual(
        wanted.filter((field) => !sortableFields(fields).includes(field)),
        [],
      );
    });

    test(`${path} is searched and sorted by fields that are served, alone`, () => {
      deepEqual(
        Object.keys(fields).filter((field) => !names.includes(field)),
        [],
      );
    });
  }
});

/** The properties of a collection's objects in openapi.yaml, with those of the objects inside them. */
function servedFields(path: string): readonly string[] {
  const own = map(map(ownDocument.paths[`${path}/{id}`], path)["get"], path);
  return propertiesOf(schemaIn(map(map(own["responses"], path)["200"], path)));
}

function propertiesOf(given: Json): readonly string[] {
  return Object.entries(map(flat(ownDocument.models, given)["properties"] ?? {}, "properties")).flatMap(([field, property]) => {
    const { items } = flat(ownDocument.models, map(property, field));
    const inner = items === undefined ? [] : propertiesOf(map(items, field));
    return [field, ...inner.map((one) => `${field}.${one}`)];
  });
}
