import { type Fields, filterFields } from "../collection.ts";
import { compileFilter } from "./match.ts";
import { parseFilter } from "./parse.ts";

/** Those that match a filter expression; without one all of them. */
export function filtered<T extends object>(all: readonly T[], fields: Fields, expression: string | undefined): readonly T[] {
  return expression === undefined ? all : all.filter(compileFilter(parseFilter(expression), filterFields(fields)));
}
