import { isObject, type Json } from "../testing/json.ts";

/** What an editor would underline: the part of JSON Schema that the generated schemas use, read literally. Empty: nothing. */
export function underlined(schema: unknown, value: unknown, path = ""): string[] {
  if (!isObject(schema)) return [];
  const wrong = (holds: boolean, what: string): string[] => (holds ? [] : [`${path}: ${what}`]);
  const { type, enum: words, const: only } = schema;
  const own = [
    ...wrong(only === undefined || only === value, "const"),
    ...wrong(!Array.isArray(words) || words.includes(value), "enum"),
    ...wrong(type === undefined || [type].flat().some((one) => isOfType(one, value)), `type ${String(type)}`),
  ];
  if (typeof value === "string") return [...own, ...text(schema, value, wrong)];
  if (typeof value === "number") return [...own, ...number(schema, value, wrong)];
  if (Array.isArray(value)) return [...own, ...list(schema, value, wrong), ...value.flatMap((item, index) => underlined(schema["items"], item, `${path}[${index}]`))];
  return isObject(value) ? [...own, ...fields(schema, value, path, wrong)] : own;
}

type Wrong = (holds: boolean, what: string) => string[];

const isOfType = (type: unknown, value: unknown): boolean =>
  ({
    string: typeof value === "string",
    integer: Number.isInteger(value),
    number: typeof value === "number",
    boolean: typeof value === "boolean",
    array: Array.isArray(value),
    object: isObject(value),
  })[String(type)] ?? false;

function text({ pattern, minLength = 0, maxLength = Infinity }: Json, value: string, wrong: Wrong): string[] {
  const length = [...value].length;
  return [
    ...wrong(typeof pattern !== "string" || new RegExp(pattern, "u").test(value), "pattern"),
    ...wrong(length >= Number(minLength) && length <= Number(maxLength), "length"),
  ];
}

const number = ({ minimum = -Infinity, maximum = Infinity }: Json, value: number, wrong: Wrong): string[] =>
  wrong(value >= Number(minimum) && value <= Number(maximum), "range");

const list = ({ minItems = 0, maxItems = Infinity, uniqueItems }: Json, value: readonly unknown[], wrong: Wrong): string[] => [
  ...wrong(value.length >= Number(minItems) && value.length <= Number(maxItems), "number of items"),
  ...wrong(uniqueItems !== true || new Set(value.map((item) => JSON.stringify(item))).size === value.length, "unique items"),
];

function fields(schema: Json, value: Json, path: string, wrong: Wrong): string[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const more = schema["additionalProperties"];
  return [
    ...wrong(Object.keys(value).length <= Number(schema["maxProperties"] ?? Infinity), "number of properties"),
    ...wrong(required.every((name) => Object.hasOwn(value, String(name))), "required"),
    ...Object.entries(value).flatMap(([name, inner]) => {
      if (Object.hasOwn(properties, name)) return underlined(properties[name], inner, `${path}.${name}`);
      return more === false ? [`${path}.${name}: unknown`] : underlined(more, inner, `${path}.${name}`);
    }),
  ];
}
