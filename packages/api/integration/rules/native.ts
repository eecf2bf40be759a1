import { quantityPattern } from "../../src/generate/limits.ts";
import type { Fields, Schema } from "../../src/schema.ts";

/** A limit that the API server itself words: enums, required fields, lengths, types, keys of lists. */
export interface NativeRow {
  readonly field: string;
  readonly refused: unknown;
  readonly message: string;
}

/** Every such limit of a schema. `path` goes through the first entry of each list. */
export function nativeRows(path: string, schema: Schema): readonly NativeRow[] {
  if ("quantity" in schema) return schema.quantity === "any number" ? amountRows(path) : quantityRows(path);
  switch (schema.type) {
    case "string":
      return [
        { field: path, refused: 7, message: "must be of type string" },
        ...(schema.enum === undefined
          ? []
          : [
              {
                field: path,
                refused: "no-such",
                message: `supported values: ${schema.enum.map((value) => `"${value}"`).join(", ")}`,
              },
            ]),
        ...(schema.maxLength === undefined ? [] : [tooLong(path, schema.maxLength)]),
      ];
    case "integer":
      return [{ field: path, refused: "7", message: "must be of type integer" }];
    case "boolean":
      return [{ field: path, refused: "yes", message: "must be of type boolean" }];
    case "array":
      return [{ field: path, refused: "one", message: "must be of type array" }, ...nativeRows(`${path}[0]`, schema.items)];
    case "object":
      return [{ field: path, refused: "one", message: "must be of type object" }, ...inner(path, schema)];
    case "map":
      return [
        { field: path, refused: "one", message: "must be of type object" },
        { field: path, refused: crowd(schema.maxProperties + 1), message: `must have at most ${schema.maxProperties} items` },
        ...nativeRows(`${path}.key`, schema.values),
      ];
    case "foreign":
      return [{ field: path, refused: "one", message: "must be of type object" }];
    default:
      return schema satisfies never;
  }
}

const crowd = (size: number): object => Object.fromEntries(Array.from({ length: size }, (_, index) => [`k${index}`, "v"]));

const quantityRows = (field: string): readonly NativeRow[] => [
  { field, refused: true, message: "must be of type integer,string" },
  { field, refused: 0.25, message: "must be of type integer,string" },
  tooLong(field, 32),
];

const amountRows = (field: string): readonly NativeRow[] => [
  ...["much", "", "-1", "1 core"].map((refused) => ({ field, refused, message: `should match '${quantityPattern}'` })),
  ...[-1, -0.5].map((refused) => ({ field, refused, message: "should be greater than or equal to 0" })),
  ...[{ cores: 1 }, [1]].map((refused) => ({ field, refused, message: "must have at most 0 items" })),
  // No rule can look at the field, and of these the API server names it in the message alone.
  ...[true, false, {}, []].map((refused) => ({ field, refused, message: `"${field}" must not validate the schema (not)` })),
  tooLong(field, 32),
];

const tooLong = (field: string, length: number): NativeRow => ({
  field,
  refused: "1".repeat(length + 1),
  message: `may not be more than ${length}`,
});

function inner(path: string, { properties, required }: Fields): readonly NativeRow[] {
  return [
    ...required.map((name) => ({ field: `${path}.${name}`, refused: undefined, message: "Required value" })),
    ...Object.entries(properties).flatMap(([name, field]) => nativeRows(`${path}.${name}`, field)),
  ];
}
