import { badRequest } from "../../refusal.ts";

/** The query parameters of a route. `ignored` says why it makes no difference. */
export type QueryRules = Readonly<Record<string, "served" | { readonly ignored: string }>>;

export const pageQuery = { limit: "served", cursor: "served", sort: "served" } satisfies QueryRules;
export const permittedPageQuery = {
  ...pageQuery,
  permission: { ignored: "there is one API key, and it may do everything" },
} satisfies QueryRules;

/** Throws unless each parameter is one that the route knows, and stands there once: a filter that is dropped answers too much. */
export function requireQuery(rules: QueryRules, query: URLSearchParams): void {
  for (const parameter of new Set(query.keys())) {
    const rule = Object.hasOwn(rules, parameter) ? rules[parameter] : undefined;
    if (rule === undefined) throw badRequest(`query parameter ${shown(parameter)} is not a known one; ${known(rules)}`);
    if (rule === "served" && query.getAll(parameter).length > 1)
      throw badRequest(`query parameter ${parameter} appears more than once`);
  }
}

const shown = (parameter: string): string => JSON.stringify(parameter.slice(0, 100));
const known = (rules: QueryRules): string =>
  Object.keys(rules).length === 0 ? "this request takes none" : `known ones: ${Object.keys(rules).join(", ")}`;
