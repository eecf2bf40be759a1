/** Filter expressions of DCT searches, built so that a value can never become syntax. */
export type Filter = string & { readonly __brand: "filter" };

/** A text that no filter expression can carry: DCT documents no escape, so a text with both kinds of quote has no spelling. */
export class UnquotableValue extends Error {
  override readonly name = "UnquotableValue";
  constructor(value: string) {
    super(`DCT cannot search for ${JSON.stringify(value)}: it contains both kinds of quotes, or control characters`);
  }
}

/** True when `value` can stand in a filter expression. */
export const isQuotable = (value: string): boolean =>
  !(value.includes("'") && value.includes('"')) && !hasControlCharacter(value);

const hasControlCharacter = (value: string): boolean => /\p{Cc}/u.test(value);

function literal(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  if (!isQuotable(value)) throw new UnquotableValue(value);
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand's one mint: everything below quotes its values
const asFilter = (expression: string): Filter => expression as Filter;

type Value = string | number | boolean;
export const eq = (field: string, value: Value): Filter => asFilter(`${field} EQ ${literal(value)}`);
export const notEq = (field: string, value: Value): Filter => asFilter(`${field} NE ${literal(value)}`);
export const contains = (field: string, value: Value): Filter => asFilter(`${field} CONTAINS ${literal(value)}`);
/** `field` is one of `values`; DCT takes at most 100. */
export const oneOf = (field: string, values: readonly Value[]): Filter =>
  asFilter(`${field} IN [${values.map(literal).join(", ")}]`);
export const not = (filter: Filter): Filter => asFilter(`NOT (${filter})`);
export const allOf = (...filters: readonly Filter[]): Filter => asFilter(filters.map((filter) => `(${filter})`).join(" AND "));
export const anyOf = (...filters: readonly Filter[]): Filter => asFilter(filters.map((filter) => `(${filter})`).join(" OR "));
