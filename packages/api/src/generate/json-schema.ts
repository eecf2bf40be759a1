import { apiVersionOf, type Kind } from "../kind.ts";
import type { Amount, Fields, Quantity, Schema } from "../schema.ts";
import { quantityLength, quantityPattern } from "./limits.ts";

type Json = { readonly [key: string]: unknown };

/** The JSON Schema of a kind for editors: as the CRD, with limits in JSON Schema's own words, and unknown fields marked. */
export function jsonSchema(kind: Kind): Json {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: kind.kind,
    description: kind.description,
    type: "object",
    required: ["apiVersion", "kind", "metadata", "spec"],
    additionalProperties: false,
    properties: {
      apiVersion: { const: apiVersionOf(kind) },
      kind: { const: kind.kind },
      metadata: { type: "object", description: "Name, namespace, labels and annotations.", required: ["name"] },
      spec: emit(kind.spec),
      status: { ...emit(kind.status), description: "Written by the operator; leave it out.", readOnly: true },
    },
  };
}

function emit(schema: Schema): Json {
  const { rules: _rules, ...plain } = schema; // CEL is the API server's alone
  if ("quantity" in plain) return { ...doc(plain), ...quantity(plain) };
  switch (plain.type) {
    case "string": {
      const { allowed: _words, secret: _secret, example: _example, ...rest } = plain;
      return { ...rest, ...examples(plain) };
    }
    case "integer": {
      const { format: _format, example: _example, ...rest } = plain;
      return { ...rest, ...examples(plain) };
    }
    case "boolean":
      return plain;
    case "array": {
      const { listType, mapKeys: _mapKeys, items, ...rest } = plain;
      return { ...rest, ...(listType === "set" ? { uniqueItems: true } : {}), items: emit(items) };
    }
    case "object":
      return fields(plain);
    case "map": {
      const { values, ...rest } = plain;
      return { ...rest, type: "object", additionalProperties: emit(values) };
    }
    case "foreign":
      return { ...plain, type: "object" };
    default:
      return plain satisfies never;
  }
}

const quantity = ({ quantity: kind }: Quantity | Amount): Json =>
  kind === "any number"
    ? { type: ["string", "number"], maxLength: quantityLength, pattern: quantityPattern, minimum: 0 }
    : { type: ["string", "integer"], maxLength: quantityLength };

function fields({ properties, required, ...rest }: Fields): Json {
  const emitted = Object.entries(properties).map(([name, field]) => [name, emit(field)] as const);
  return {
    ...rest,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    properties: Object.fromEntries(emitted),
  };
}

const examples = ({ example }: { readonly example?: unknown }): Json => (example === undefined ? {} : { examples: [example] });
const doc = ({
  description,
  default: value,
  ...rest
}: {
  readonly description: string;
  readonly default?: unknown;
  readonly example?: unknown;
}): Json => ({
  description,
  ...(value === undefined ? {} : { default: value }),
  ...examples(rest),
});
