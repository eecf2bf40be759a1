import type { Amount, Quantity, Rule, Schema, Text, Whole } from "../schema.ts";

/**
 * The limits of a schema node as one CEL rule, whose message tells what is allowed and gives an example.
 * The API server puts the field's path before it.
 */
export function limitOf(schema: Schema): readonly Rule[] {
  if ("quantity" in schema) return quantityLimit(schema);
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
    case "map":
    case "foreign":
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

export const quantityLength = 32;
/** A quantity of zero or more, as Kubernetes reads it. */
export const quantityPattern = "^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$";

/** On the text of it, so that a number and its text are the same. */
function quantityLimit(schema: Quantity | Amount): Rule[] {
  if (schema.quantity === "any number") return [];
  const { quantity, least, example } = schema;
  const value = "quantity(string(self))";
  const enough = least === undefined ? `${value}.isGreaterThan(quantity('0'))` : `!${value}.isLessThan(quantity('${least}'))`;
  const none = quantity === "positive" ? "" : `${value}.compareTo(quantity('0')) == 0 || `;
  const range = least === undefined ? " greater than 0" : ` of at least ${least}`;
  const message = `must be a quantity${range}${none === "" ? "" : ", or 0 for none"}, for example ${example}`;
  return [
    {
      rule: `isQuantity(string(self)) && (${none}${enough})`,
      ...(least === undefined ? {} : { messageExpression: `${JSON.stringify(message)} + (${likelyMeaning})` }),
      message,
    },
  ];
}

/** CEL: what somebody who wrote `512m` or `512` has most likely meant. */
const likelyMeaning =
  "string(self).matches('^[0-9]+m$') ? ' (m is for thousandths of a byte: did you mean ' + string(self).replace('m', 'Mi') + '?)'" +
  " : string(self).matches('^[1-9][0-9]*$') ? ' (without a unit it is bytes: did you mean ' + string(self) + 'Mi or ' + string(self) + 'Gi?)' : ''";

/** What a field means, with its limits in words: what `kubectl explain` and the reference show. */
export function meaningOf(schema: Schema): string {
  const limits = limitOf(schema).map(({ message = "" }) => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`);
  return [schema.description, ...limits].join(" ");
}
