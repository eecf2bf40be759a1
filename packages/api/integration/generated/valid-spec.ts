import * as fc from "fast-check";
import type { Kind } from "../../src/index.ts";
import type { Schema, Text } from "../../src/schema.ts";
import { at, isObject, type Json } from "../testing/json.ts";

type Values = fc.Arbitrary<unknown>;
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,12}[a-z0-9])?$/u);
const subdomain = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?([.][a-z0-9]{1,5})?$/u);
const cores = fc.oneof(fc.constantFrom("1", "500m", "1e1", ".5"), fc.integer({ min: 0, max: 64 }), fc.double({ min: 0, max: 64, noNaN: true }));
const bytes = fc.oneof(fc.constantFrom("1Gi", "2.5Gi", "1e10", "2048Mi", "4G"), fc.integer({ min: 2 ** 30, max: 2 ** 40 }));

/** Texts whose grammar the schema says in CEL alone, and lists whose fields depend on each other. */
const byPath: Readonly<Record<string, Values>> = {
  snapshotRef: fc.oneof(
    fc.record({ type: fc.constantFrom("dct-snapshot", "dct-bookmark"), name: fc.stringMatching(/^[^\p{C}]{1,20}$/u) }),
    fc.record({ type: fc.constant("volume-snapshot"), name: subdomain }),
    fc.record({
      type: fc.constant("timestamp"),
      name: fc.date({ min: new Date("1970-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }).map((date) => date.toISOString()),
    }),
  ),
  errorBackoffPeriod: fc.constantFrom("1s", "30s", "5m", "1h30m", "1500ms"),
  previousRetention: fc.constantFrom("0s", "24h", "90m", "1h1s"),
  maxAge: fc.constantFrom("1m", "24h", "87600h"),
  expiry: fc.oneof(
    fc.record(
      { action: fc.constantFrom("Stop", "Delete"), after: fc.constantFrom("10m", "1h30m", "87600h"), from: fc.constantFrom("Creation", "LastRefresh") },
      { requiredKeys: ["action", "after"] },
    ),
    fc.record({ action: fc.constantFrom("Stop", "Delete"), at: fc.constantFrom("2026-01-31T18:00:00Z", "2030-01-31T18:00:00.25+01:00") }),
  ),
  mountPath: fc.stringMatching(/^(\/(mnt|srv|data)[A-Za-z0-9._-]{0,9}){1,3}$/u),
  tolerations: fc.array(
    fc.oneof(
      fc.record({ operator: fc.constant("Exists"), key: label, effect: fc.constantFrom("NoSchedule", "NoExecute") }, { requiredKeys: ["operator"] }),
      fc.record({ key: label, value: label, effect: fc.constant("NoExecute"), tolerationSeconds: fc.nat() }, { requiredKeys: ["key", "effect"] }),
    ),
    { maxLength: 3 },
  ),
  ownershipSpec: fc.tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })).map((ids) => ids.join(":")),
};

/** Any spec that the documentation of a kind allows. */
export function validSpec(kind: Kind): fc.Arbitrary<Json> {
  return values("", kind.spec)
    .filter(isObject)
    .chain((spec) => fc.tuple(fc.constant(spec), consistent))
    .map(([spec, parts]) => obeyRules(kind, spec, parts));
}

/** Parts whose fields depend on each other. */
const consistent = fc.record({
  source: fc.oneof(
    fc.record({ type: fc.constant("dct-source"), reference: fc.stringMatching(/^[A-Za-z0-9 _-]{1,9}:[^\p{C}\p{Zl}\p{Zp}]{1,9}$/u) }),
    fc.record({ type: fc.constantFrom("pvc-clone", "k8s-snapshot"), reference: subdomain, namespace: label }, { requiredKeys: ["type", "reference"] }),
    fc.record({ type: fc.constant("pvc-clone"), reference: fc.tuple(label, subdomain).map((names) => names.join("/")) }),
    fc.record({ type: fc.constant("pvc-adopt"), reference: subdomain }),
  ),
  login: fc.oneof(
    fc.record({ password: fc.string({ minLength: 8, maxLength: 20, unit: "grapheme-composite" }).filter((text) => [...text].length >= 8) }),
    fc.record({ passwordSecretRef: subdomain }),
  ),
});

type Parts = typeof consistent extends fc.Arbitrary<infer T> ? T : never;

function obeyRules(kind: Kind, spec: Json, { source, login }: Parts): Json {
  if (kind.kind === "PostgresVDB") {
    const { password: _password, passwordSecretRef: _ref, ...database } = isObject(spec["database"]) ? spec["database"] : {};
    const { OwnershipSpec: _spelling, ...rest } = spec;
    const owner = spec["ownershipSpec"];
    const limits = at(spec, "resources", "limits");
    const resources = limits === undefined ? spec["resources"] : { limits }; // requests up to limits have rows of their own
    if (at(spec, "expiry", "action") === "Delete") Object.assign(rest, { protected: undefined });
    return clean({ ...rest, ...(owner === undefined ? {} : { OwnershipSpec: owner }), resources, source, database: { ...database, ...login } });
  }
  return clean(spec);
}

/** As JSON has it: without fields that are undefined. */
function clean(value: unknown): Json {
  const parsed: unknown = JSON.parse(JSON.stringify(value));
  return isObject(parsed) ? parsed : {};
}

function values(name: string, schema: Schema): Values {
  if ("quantity" in schema) return schema.quantity === "any number" ? cores : bytes;
  switch (schema.type) {
    case "string":
      return byPath[name] ?? text(name, schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2 ** 31 - 1 });
    case "boolean":
      return fc.boolean();
    case "array":
      return byPath[name] ?? list(name, schema.items, schema.mapKeys, schema.minItems);
    case "object":
      return byPath[name] ?? fc.record(
        Object.fromEntries(Object.entries(schema.properties).map(([field, inner]) => [field, values(field, inner)])),
        { requiredKeys: [...schema.required] },
      );
    case "map":
      return fc.dictionary(fc.stringMatching(/^([a-z]{1,5}[.]example\/)?[A-Za-z]([-_.A-Za-z0-9]{0,9}[A-Za-z0-9])?$/u), values("", schema.values), { maxKeys: 4 });
    case "foreign":
      return fc.constant({});
    default:
      return schema satisfies never;
  }
}

function list(name: string, items: Schema, mapKeys: readonly string[] | undefined, minLength = 0): Values {
  const key = (item: unknown): string => (mapKeys === undefined ? String(item) : mapKeys.map((field) => String(at(item, field)).toLowerCase()).join("/"));
  return fc.uniqueArray(values(name, items), { minLength, maxLength: 4, selector: key });
}

function text(name: string, { enum: words, pattern, maxLength = 100, minLength = 0 }: Text): Values {
  if (words !== undefined) return fc.constantFrom(...words);
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 60), unit: "grapheme-composite" }).filter((value) => value.length >= minLength && value.length <= maxLength);
  const reserved = /^(pg_|public$|none$|template[01]$|port$|listen_|include|archive_|hba_|ident_)/iu;
  return fc.stringMatching(new RegExp(pattern, "u"), { maxLength: Math.min(maxLength, 60) }).filter((value) => value.length <= maxLength && value.isWellFormed() && !(name === "name" || name === "user" ? reserved.test(value) : false));
}
