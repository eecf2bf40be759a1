/** A JSON object: any field may be asked for, and is unknown. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The same, with an empty one in place of anything else. */
export const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});

export const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
