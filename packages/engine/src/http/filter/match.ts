import { badRequest } from "../../refusal.ts";
import type { Expression, Literal, Operator } from "./parse.ts";

export type FieldType = "text" | "number" | "boolean" | "date";
/** Which fields of an object can be filtered by; `tags.key` reaches into a list of objects. */
export type FilterFields = Readonly<Record<string, FieldType>>;

type Value = string | number | boolean;

/** Compiles an expression: unknown fields and values of the wrong type are refused now, whatever the data. */
export function compileFilter(expression: Expression, fields: FilterFields): (object: object) => boolean {
  switch (expression.kind) {
    case "and":
    case "or": {
      const [left, right] = [compileFilter(expression.left, fields), compileFilter(expression.right, fields)];
      return expression.kind === "and" ? (object) => left(object) && right(object) : (object) => left(object) || right(object);
    }
    case "not": {
      const inner = compileFilter(expression.inner, fields);
      return (object) => !inner(object);
    }
    case "compare":
      return compare(expression.field, expression.operator, expression.value, fields);
    case "in": {
      const wanted = expression.values.map((value) => compare(expression.field, "EQ", value, fields));
      return (object) => wanted.some((one) => one(object));
    }
    case "search": {
      const text = expression.text.toLowerCase();
      return (object) =>
        Object.keys(fields).some((field) => valuesOf(object, field).some((value) => String(value).toLowerCase().includes(text)));
    }
    default:
      return expression satisfies never;
  }
}

/** Whether an expression looks at one of these fields; a search looks at all. */
export function looksAt(expression: Expression, fields: readonly string[]): boolean {
  switch (expression.kind) {
    case "and":
    case "or":
      return looksAt(expression.left, fields) || looksAt(expression.right, fields);
    case "not":
      return looksAt(expression.inner, fields);
    case "compare":
    case "in":
      return fields.includes(expression.field);
    case "search":
      return fields.length > 0;
    default:
      return expression satisfies never;
  }
}

function compare(field: string, operator: Operator, literal: Literal, fields: FilterFields): (object: object) => boolean {
  const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (type === undefined)
    throw badRequest(`filter expression: there is no field ${field}; fields: ${Object.keys(fields).toSorted().join(", ")}`);
  if (literal.kind === "nil") {
    if (operator === "EQ") return (object) => valuesOf(object, field).length === 0;
    if (operator === "NE") return (object) => valuesOf(object, field).length > 0;
    throw badRequest(`filter expression: ${operator} does not fit nil; use EQ or NE`);
  }
  const wanted = comparable(type, literal, field);
  if (type === "boolean" && operator !== "EQ" && operator !== "NE")
    throw badRequest(`filter expression: ${operator} does not fit ${field}, which is true or false`);
  if (operator === "CONTAINS" && type !== "text")
    throw badRequest(`filter expression: CONTAINS does not fit ${field}, which is a ${type}`);
  const test = (found: Value): boolean => holds(operator === "NE" ? "EQ" : operator, found, wanted);
  const some = (object: object): boolean =>
    valuesOf(object, field).some((value) => test(type === "date" ? Date.parse(String(value)) : value));
  return operator === "NE" ? (object) => !some(object) : some;
}

/** The literal as a value of the field's type. A quoted date-time is taken for a date, everything else has to fit. */
function comparable(type: FieldType, literal: Exclude<Literal, { kind: "nil" }>, field: string): Value {
  if (literal.kind === type) return literal.value;
  const date = type === "date" && literal.kind === "text" ? Date.parse(literal.value) : Number.NaN;
  if (!Number.isNaN(date)) return date;
  throw badRequest(`filter expression: ${field} is a ${type}, ${String(literal.value)} is a ${literal.kind}`);
}

function holds(operator: Exclude<Operator, "NE">, found: Value, wanted: Value): boolean {
  switch (operator) {
    case "EQ":
      return found === wanted;
    case "GT":
      return found > wanted;
    case "GE":
      return found >= wanted;
    case "LT":
      return found < wanted;
    case "LE":
      return found <= wanted;
    case "CONTAINS":
      return String(found).includes(String(wanted));
    default:
      return operator satisfies never;
  }
}

/** All values under a path; lists on the way are walked, what is missing adds nothing, a free-form object counts as its JSON. */
function valuesOf(object: unknown, path: string): readonly Value[] {
  if (object === undefined || object === null) return [];
  if (Array.isArray(object)) return object.flatMap((one) => valuesOf(one, path));
  if (path === "") {
    if (typeof object === "object") return [JSON.stringify(object)];
    return typeof object === "string" || typeof object === "number" || typeof object === "boolean" ? [object] : [];
  }
  if (typeof object !== "object") return [];
  const [name = "", ...rest] = path.split(".");
  return Object.hasOwn(object, name) ? valuesOf(Reflect.get(object, name), rest.join(".")) : [];
}
