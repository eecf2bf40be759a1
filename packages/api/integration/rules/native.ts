import type { Dictionary, Fields, Schema } from "../../src/schema.ts";

/** A limit that the API server itself words: enums, required fields, lengths, types, keys of lists. */
export interface NativeRow {
  readonly field: string;
  readonly refused: unknown;
  readonly message: string;
}

/** Every such limit of a schema. `path` goes through the first entry of each list. */
export function nativeRows(path: string, schema: Schema): readonly NativeRow[] {
  if ("quantity" in schema) return [{ field: path, refused: true, message: "must be of type integer,string" }, tooLong(path, 32)];
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
    default:
      return schema satisfies never;
  }
}

const tooLong = (field: string, length: number): NativeRow => ({
  field,
  refused: "1".repeat(length + 1),
  message: `may not be more than ${length}`,
});

function inner(path: string, schema: Dictionary | Fields): readonly NativeRow[] {
  if ("values" in schema) return nativeRows(`${path}.memory`, schema.values);
  const { properties, required } = schema;
  return [
    ...required.map((name) => ({ field: `${path}.${name}`, refused: undefined, message: "Required value" })),
    ...Object.entries(properties).flatMap(([name, field]) => nativeRows(`${path}.${name}`, field)),
  ];
}
