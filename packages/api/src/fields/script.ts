import { schema } from "../schema.ts";
import { labelLength } from "./names.ts";

/** 64 KiB: a thousand lines; longer work belongs in the image or into a file that the script reads. */
export const scriptLength = 65_536;

export const scriptType = <const D extends "sql" | "command">(defaultType: D) =>
  schema({
    type: "string",
    description:
      "How the text runs. sql: psql runs it on the database's local socket, as the database's user, and stops at the first error. " +
      "command: the interpreter in its first line (#!), else /bin/sh, runs it in the database's container, as the owner of the data.",
    enum: ["sql", "command"],
    default: defaultType,
  });

export const scriptText = (description: string) =>
  schema({
    type: "string",
    description,
    // Not \S: RE2, the API server's, counts no \v as white space, and JavaScript counts spaces of Unicode too.
    pattern: "[^\\t\\n\\v\\f\\r ]",
    maxLength: scriptLength,
    allowed: "more than white space",
    example: "SELECT 1",
  });

/** The name of a database or of a role. What psql and the shell would read as something else is left out. */
export const databaseName = (description: string) =>
  schema({
    type: "string",
    description,
    maxLength: labelLength,
    pattern: "^[^\\x00-\\x1f\\x7f\"'\\\\]+$",
    allowed: "1 to 63 characters without quotes, backslashes and control characters",
    example: "postgres",
  });

export const timeoutSeconds = (description: string) =>
  schema({ type: "integer", description, format: "int32", minimum: 1, maximum: 86_400, default: 300, example: 300 });
