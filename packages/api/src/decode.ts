import { apiVersionOf, type Kind, type ObjectOf } from "./kind.ts";
import type { Fields, Schema } from "./schema.ts";

/** An object that is not what its kind declares: a newer or older CRD than this program's, or a bug. `path` names the field. */
export class InvalidObjectError extends Error {
  override readonly name = "InvalidObjectError";
  readonly path: string;
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.path = path;
  }
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The border: an object of the API server comes in, an object of the kind or a InvalidObjectError goes out.
 *
 * Guarantees: every required field is there, every field has its declared type, and defaults are filled in even where the
 * cluster's CRD is older than the default. Assumes: limits, patterns and rules were checked by the API server, not again here.
 * Fields that are not declared are kept.
 */
export function decode<K extends Kind>(kind: K, value: unknown): ObjectOf<K> {
  const where = kind.kind;
  if (!isObject(value)) throw new InvalidObjectError(where, "is not an object");
  const { apiVersion, kind: name, metadata, spec, status } = value;
  if (apiVersion !== apiVersionOf(kind) || name !== kind.kind)
    throw new InvalidObjectError(where, `is ${String(apiVersion)} ${String(name)}, not ${apiVersionOf(kind)} ${kind.kind}`);
  checkMetadata(`${where}.metadata`, metadata);
  const decodedStatus = decodeFields(`${where}.status`, kind.status, {
    ...kind.initialStatus,
    ...(isObject(status) ? status : {}),
  });
  const decodedSpec = decodeFields(`${where}.spec`, kind.spec, spec ?? {});
  const decoded: unknown = { ...value, spec: decodedSpec, status: decodedStatus };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place: each field was just checked against the schema that the type is inferred from
  return decoded as ObjectOf<K>;
}

function checkMetadata(path: string, metadata: unknown): void {
  if (!isObject(metadata)) throw new InvalidObjectError(path, "is not an object");
  for (const field of ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
    if (typeof metadata[field] !== "string") throw new InvalidObjectError(`${path}.${field}`, "is missing");
}

function decodeFields(path: string, { properties, required }: Fields, value: unknown): Json {
  if (!isObject(value)) throw new InvalidObjectError(path, "is not an object");
  const decoded: { [key: string]: unknown } = { ...value };
  for (const [name, field] of Object.entries(properties)) {
    const given = value[name] ?? field.default;
    if (given !== undefined) decoded[name] = decodeValue(`${path}.${name}`, field, given);
    else if (required.includes(name)) throw new InvalidObjectError(`${path}.${name}`, "is missing");
  }
  return decoded;
}

function decodeValue(path: string, schema: Schema, value: unknown): unknown {
  if ("quantity" in schema) return expect(path, "a quantity", typeof value === "string" || typeof value === "number", value);
  switch (schema.type) {
    case "string":
      expect(path, "a string", typeof value === "string", value);
      return expect(path, `one of ${schema.enum?.join(", ")}`, schema.enum?.includes(String(value)) ?? true, value);
    case "integer":
      return expect(path, "a whole number", Number.isInteger(value), value);
    case "boolean":
      return expect(path, "true or false", typeof value === "boolean", value);
    case "array":
      return decodeList(path, schema.items, value);
    case "object":
      return decodeFields(path, schema, value);
    case "map":
      return decodeMap(path, schema.values, value);
    case "foreign":
      return expect(path, "an object", isObject(value), value);
    default:
      return schema satisfies never;
  }
}

function decodeMap(path: string, values: Schema, value: unknown): unknown {
  if (!isObject(value)) throw new InvalidObjectError(path, "is not an object");
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, decodeValue(`${path}.${name}`, values, one)]));
}

function decodeList(path: string, items: Schema, value: unknown): unknown {
  if (!Array.isArray(value)) throw new InvalidObjectError(path, "is not a list");
  return value.map((item, index) => decodeValue(`${path}[${index}]`, items, item));
}

function expect(path: string, what: string, ok: boolean, value: unknown): unknown {
  if (!ok) throw new InvalidObjectError(path, `is not ${what}`);
  return value;
}
