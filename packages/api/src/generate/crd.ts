import type { Kind } from "../kind.ts";
import type { Amount, Fields, List, Quantity, Rule, Schema, Text, Truth, Whole } from "../schema.ts";
import { limitOf, meaningOf, quantityLength, quantityPattern } from "./limits.ts";

type Json = { readonly [key: string]: unknown };

/** The CustomResourceDefinition of a kind, as the API server takes it. */
export function crd(kind: Kind, annotations: { readonly [key: string]: string } = {}): Json {
  const { group, version, plural, shortNames } = kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: crdName(kind), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural,
        singular: kind.kind.toLowerCase(),
        shortNames,
        categories: ["delphix"],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns.map(({ wide, ...column }) => ({ ...column, priority: wide === true ? 1 : 0 })),
          schema: { openAPIV3Schema: root(kind) },
        },
      ],
    },
  };
}

function root(kind: Kind): Json {
  const misplaced = Object.entries(kind.misplaced ?? {}).map(([name, field]) => [name, emit(field)] as const);
  return {
    type: "object",
    description: kind.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object", properties: { name: { type: "string" } } }, // so that a rule may point at the name
      spec: emit(kind.spec),
      status: { ...emit(kind.status), default: kind.initialStatus },
      ...Object.fromEntries(misplaced),
    },
    ...validations(kind.rules ?? []),
  };
}

/** One schema node. Limits become CEL rules: the API server's own messages for them name no example, and one bound of two. */
function emit(schema: Schema): Json {
  if ("quantity" in schema) return quantity(schema);
  switch (schema.type) {
    case "string":
      return { ...head(schema, "string"), ...only(schema, ["enum", "format", "maxLength"]), ...rulesOf(schema) };
    case "integer":
      return { ...head(schema, "integer"), ...only(schema, ["format"]), ...rulesOf(schema) };
    case "boolean":
      return { ...head(schema, "boolean"), ...rulesOf(schema) };
    case "array":
      return list(schema);
    case "object":
      return fields(schema);
    case "map":
      return {
        ...head(schema, "object"),
        maxProperties: schema.maxProperties,
        additionalProperties: emit(schema.values),
        ...rulesOf(schema),
      };
    case "foreign":
      return { ...head(schema, "object"), "x-kubernetes-preserve-unknown-fields": true };
    default:
      return schema satisfies never;
  }
}

/** Without `anyOf`, which the API server takes as given: its refusal names the field only so. */
function quantity(schema: Quantity | Amount): Json {
  const { default: value } = schema;
  const doc = { description: meaningOf(schema), ...(value === undefined ? {} : { default: value }), maxLength: quantityLength };
  return schema.quantity === "any number"
    ? { ...doc, ...anyNumber }
    : { ...doc, "x-kubernetes-int-or-string": true, ...rulesOf(schema) };
}

/** int-or-string refuses 0.25, and nothing but the absence of a type takes it. What is neither number nor text is shut out. */
const anyNumber: Json = {
  "x-kubernetes-preserve-unknown-fields": true,
  pattern: quantityPattern,
  minimum: 0,
  maxProperties: 0,
  maxItems: 0,
  not: { enum: [true, false, {}, []] },
};

function list(schema: List): Json {
  return {
    ...head(schema, "array"),
    "x-kubernetes-list-type": schema.listType,
    ...(schema.mapKeys === undefined ? {} : { "x-kubernetes-list-map-keys": schema.mapKeys }),
    maxItems: schema.maxItems,
    items: emit(schema.items),
    ...rulesOf(schema),
  };
}

function fields(schema: Fields): Json {
  const properties = Object.entries(schema.properties).map(([name, field]) => [name, emit(field)] as const);
  const { required } = schema;
  return {
    ...head(schema, "object"),
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(properties),
    ...rulesOf(schema),
  };
}

const head = (schema: Schema, type: string): Json => ({
  type,
  description: meaningOf(schema),
  ...(schema.default === undefined ? {} : { default: schema.default }),
});

const only = (schema: Text | Whole | Truth, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => keys.includes(key)));

/** The node's own rules, the rule for its limits, and those of its secret children, which must not print what they refuse. */
function rulesOf(schema: Schema): Json {
  const own = isSecret(schema) ? [] : limitOf(schema);
  const children =
    "properties" in schema ? Object.entries(schema.properties).flatMap(([name, child]) => secretRules(name, child)) : [];
  return validations([...own, ...(schema.rules ?? []), ...children]);
}

const isSecret = (schema: Schema): boolean => "secret" in schema && schema.secret;

function secretRules(name: string, schema: Schema): Rule[] {
  if (!isSecret(schema)) return [];
  return limitOf(schema).map(({ rule, ...rest }) => ({
    ...rest,
    rule: `!has(self.${name}) || (${rule.replaceAll(/\bself\b/gu, `self.${name}`)})`,
    fieldPath: `.${name}`,
    reason: "FieldValueForbidden",
  }));
}

const validations = (rules: readonly Rule[]): Json => (rules.length === 0 ? {} : { "x-kubernetes-validations": rules });

export const crdName = (kind: Kind): string => `${kind.plural}.${kind.group}`;
