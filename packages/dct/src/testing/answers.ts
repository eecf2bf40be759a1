/** Holds answers to the API's public document: to its facts where it knows the operation, and to openapi.yaml for what is newer. */
import { readFileSync } from "node:fs";
import { list, map, string } from "../decode.ts";
import { openApi } from "../generated/openapi.ts";

type Json = Readonly<Record<string, unknown>>;

/** One document's schemas, and how they refer to each other. */
interface Models {
  readonly name: string;
  readonly model: (ref: string) => Json;
  /** Whether a property that is not described is a mistake. */
  readonly closed: boolean;
}

const facts = map(JSON.parse(readFileSync(new URL("../../facts/facts.json", import.meta.url), "utf8")), "facts");
const described = map(JSON.parse(openApi), "openapi");
const schemas = map(map(described["components"], "components")["schemas"], "schemas");
const factModels: Models = {
  name: "facts",
  model: (ref) => map(map(facts["models"], "models")[ref], ref),
  closed: false,
};
const ownModels: Models = { name: "openapi.yaml", model: (ref) => map(schemas[ref.split("/").at(-1) ?? ""], ref), closed: true };

/** What newer versions answer with in place of what 3.5.0 says: `METHOD path`, the status, and why. */
export const newerAnswers: Readonly<Record<string, { readonly status: number; readonly because: string }>> = {
  "DELETE /bookmarks/{}": { status: 200, because: "newer versions answer with a job" },
};

export interface Answer {
  readonly method: string;
  /** Below the base path, without the query. */
  readonly path: string;
  readonly status: number;
  /** Undefined of an answer without a body. */
  readonly body: unknown;
}

/** Everything that is wrong with an answer, in words. */
export function problemsOf({ method, path, status, body }: Answer): readonly string[] {
  const error = map(schemas["ErrorResponse"], "ErrorResponse");
  if (status >= 400) return method === "HEAD" ? [] : schemaProblems(ownModels, error, body, "error");
  if (method === "HEAD") return [];
  const operation = operationFor(method, path);
  if (operation === undefined) return [`${method} ${path} is not described in openapi.yaml`];
  const { key, own, fact } = operation;
  return [...answerProblems(ownModels, own, status, body), ...factProblems(key, fact, status, body)].map(
    (problem) => `${key} ${status}: ${problem}`,
  );
}

function factProblems(key: string, fact: Json | undefined, status: number, body: unknown): readonly string[] {
  if (fact === undefined || newerAnswers[key]?.status === status) return [];
  const schema = map(fact["answers"], "answers")[String(status)];
  if (schema === undefined) return ["the public document knows no such status"];
  return schema === null ? [] : schemaProblems(factModels, map(schema, "schema"), body, "answer");
}

function answerProblems(models: Models, operation: Json, status: number, body: unknown): readonly string[] {
  const answer = map(operation["responses"], "responses")[String(status)];
  if (answer === undefined) return [`${models.name} knows no such status`];
  const { content } = map(answer, "answer");
  if (content === undefined) return body === undefined ? [] : ["has a body, and none is described"];
  return schemaProblems(
    models,
    map(map(map(content, "content")["application/json"], "json")["schema"], "schema"),
    body,
    "answer",
  );
}

function operationFor(
  method: string,
  path: string,
): { readonly key: string; readonly own: Json; readonly fact: Json | undefined } | undefined {
  const fitting = Object.keys(map(described["paths"], "paths")).filter((one) => fits(one, path));
  // A word of the path comes before a parameter, as in the engine.
  const [template] = fitting.toSorted((a, b) => a.split("{").length - b.split("{").length);
  if (template === undefined) return undefined;
  const own = map(map(described["paths"], "paths")[template], template)[method.toLowerCase()];
  if (own === undefined) return undefined;
  const key = `${method} ${template.replaceAll(/\{\w+\}/gu, "{}")}`;
  const fact = map(facts["operations"], "operations")[key];
  return { key, own: map(own, key), fact: fact === undefined ? undefined : map(fact, key) };
}

function fits(template: string, path: string): boolean {
  const [wanted, given] = [template.split("/"), path.split("/")];
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith("{") || part === given[i]);
}

/** A small part of JSON Schema: as much of it as both documents use. */
function schemaProblems(models: Models, given: Json, value: unknown, at: string): readonly string[] {
  if (value === null && given["nullable"] === true) return [];
  const schema = flat(models, given);
  const type = typeOf(schema);
  if (type !== undefined && !hasType(type, value)) return [`${at}: must be of type ${type} (${models.name})`];
  const problems: string[] = [];
  if (Array.isArray(schema["enum"]) && !schema["enum"].includes(value))
    problems.push(`${at}: ${JSON.stringify(value)} is none of ${schema["enum"].join(", ")} (${models.name})`);
  if (typeof value === "string") problems.push(...textProblems(schema, value, at));
  if (Array.isArray(value) && schema["items"] !== undefined)
    problems.push(...value.flatMap((one, i) => schemaProblems(models, map(schema["items"], at), one, `${at}[${i}]`)));
  if (type === "object" && schema["properties"] !== undefined)
    problems.push(...objectProblems(models, schema, map(value, at), at));
  return problems;
}

const typeOf = (schema: Json): string | undefined => {
  const otherwise = schema["properties"] === undefined ? undefined : "object";
  return typeof schema["type"] === "string" ? schema["type"] : otherwise;
};

function objectProblems(models: Models, schema: Json, value: Json, at: string): readonly string[] {
  const properties = map(schema["properties"], at);
  const missing = list(string)(schema["required"] ?? [], at).filter((one) => value[one] === undefined);
  return [
    ...missing.map((one) => `${at}.${one} is missing (${models.name})`),
    ...Object.entries(value).flatMap(([name, inner]) => {
      const property = properties[name];
      if (property !== undefined) return schemaProblems(models, map(property, name), inner, `${at}.${name}`);
      return models.closed ? [`${at}.${name} is not described in ${models.name}`] : [];
    }),
  ];
}

function textProblems({ format, minLength, maxLength }: Json, value: string, at: string): readonly string[] {
  const length = Array.from(value).length;
  if (typeof minLength === "number" && length < minLength) return [`${at} is shorter than ${minLength}`];
  if (typeof maxLength === "number" && length > maxLength) return [`${at} is longer than ${maxLength}`];
  if (format === "date-time" && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/u.test(value))
    return [`${at}: ${value} is not a date-time`];
  if (format === "date" && !/^\d{4}-\d\d-\d\d$/u.test(value)) return [`${at}: ${value} is not a date`];
  return [];
}

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

/** With what it refers to, and with its parts together. */
export function flat(models: Pick<Models, "model">, given: Json): Json {
  const schema = typeof given["$ref"] === "string" ? models.model(given["$ref"]) : given;
  if (schema["$ref"] !== undefined) return flat(models, schema);
  if (!Array.isArray(schema["allOf"])) return schema;
  const parts = schema["allOf"].map((part) => flat(models, map(part, "part")));
  return {
    type: "object",
    properties: Object.assign({}, ...parts.map((part) => part["properties"] ?? {}), schema["properties"] ?? {}),
    required: parts.flatMap((part) => list(string)(part["required"] ?? [], "required")),
  };
}

export const factDocument = { operations: map(facts["operations"], "operations"), words: facts["words"], models: factModels };
export const ownDocument = {
  paths: map(described["paths"], "paths"),
  parameters: map(map(described["components"], "components")["parameters"], "parameters"),
  models: ownModels,
};
