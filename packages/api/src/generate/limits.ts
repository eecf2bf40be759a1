import type { Quantity, Rule, Schema, Text, Whole } from "../schema.ts";

/**
 * The limits of a schema node as one CEL rule, whose message tells what is allowed and gives an example.
 * The API server puts the field's path before it.
 */
export function limitOf(schema: Schema): readonly Rule[] {
  if ("quantity" in schema) return [quantityLimit(schema)];
  switch (schema.type) {
    case "string":
      return textLimit(schema);
    case "integer":
      return wholeLimit(schema);
    case "array":
      return schema.minItems === undefined
        ? []
        : [
            {
              rule: `self.size() >= ${schema.minItems}`,
              message: `must have at least ${schema.minItems}, for example ${JSON.stringify(schema.default)}`,
            },
          ];
    case "boolean":
    case "object":
      return [];
    default:
      return schema satisfies never;
  }
}

function textLimit({ pattern, minLength, allowed = "", example = "" }: Text): Rule[] {
  const conditions = [
    ...(minLength === undefined ? [] : [`self.size() >= ${minLength}`]),
    ...(pattern === undefined ? [] : [`self.matches(${JSON.stringify(pattern)})`]),
  ];
  if (conditions.length === 0) return [];
  return [{ rule: conditions.join(" && "), message: `must be ${allowed}, for example ${example}` }];
}

function wholeLimit({ minimum, maximum, example = 0 }: Whole): Rule[] {
  const conditions = [
    ...(minimum === undefined ? [] : [`self >= ${minimum}`]),
    ...(maximum === undefined ? [] : [`self <= ${maximum}`]),
  ];
  if (conditions.length === 0) return [];
  const range = maximum === undefined ? `at least ${minimum}` : `from ${minimum ?? "any"} to ${maximum}`;
  return [{ rule: conditions.join(" && "), message: `must be ${range}, for example ${example}` }];
}

function quantityLimit({ quantity, example }: Quantity): Rule {
  const compare = quantity === "positive" ? ">" : ">=";
  return {
    rule: `type(self) == int ? self ${compare} 0 : isQuantity(self) && quantity(self).compareTo(quantity('0')) ${compare} 0`,
    message: `must be a quantity${quantity === "positive" ? " greater than 0" : ""}, for example ${example}`,
  };
}

/** What a field means, with its limits in words: what `kubectl explain` and the reference show. */
export function meaningOf(schema: Schema): string {
  const limits = limitOf(schema).map(({ message = "" }) => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`);
  return [schema.description, ...limits].join(" ");
}
