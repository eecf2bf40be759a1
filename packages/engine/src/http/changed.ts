/** The columns that a request changes: what it leaves out stays. SQLite has no booleans. */
export const changed = (given: Readonly<Record<string, unknown>>): Readonly<Record<string, string | number>> =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => [column, columnOf(value)]),
  );

function columnOf(value: unknown): string | number {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "string" ? value : JSON.stringify(value);
}
