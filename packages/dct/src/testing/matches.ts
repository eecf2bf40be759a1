import type { Filter } from "../filter.ts";

type Test = (object: object) => boolean;
type Literal = string | number | boolean;

const token = /\s*(?:(?<quoted>'[^']*'|"[^"]*")|(?<word>[\w.-]+)|(?<sign>[()[\],]))/uy;

/** Whether an object is one that a filter of ../filter.ts wants; no filter wants all. A field that is missing equals nothing. */
export function matches(object: object, filter: Filter | undefined): boolean {
  if (filter === undefined) return true;
  const tokens = tokensOf(filter);
  const test = disjunction(tokens);
  if (tokens.length > 0) throw new TypeError(`the filter ${filter} goes on after its end: ${tokens.join(" ")}`);
  return test(object);
}

function tokensOf(text: string): string[] {
  const found: string[] = [];
  for (token.lastIndex = 0; token.lastIndex < text.length; ) {
    const [whole] = token.exec(text) ?? [];
    if (whole === undefined) throw new TypeError(`the filter ${text} is not one of this project's`);
    found.push(whole.trim());
  }
  return found;
}

function disjunction(tokens: string[]): Test {
  let test = conjunction(tokens);
  while (tokens[0] === "OR") {
    tokens.shift();
    const [left, right] = [test, conjunction(tokens)];
    test = (object) => left(object) || right(object);
  }
  return test;
}

function conjunction(tokens: string[]): Test {
  let test = term(tokens);
  while (tokens[0] === "AND") {
    tokens.shift();
    const [left, right] = [test, term(tokens)];
    test = (object) => left(object) && right(object);
  }
  return test;
}

function term(tokens: string[]): Test {
  const first = tokens.shift() ?? "";
  if (first === "NOT") {
    const inner = term(tokens);
    return (object) => !inner(object);
  }
  if (first === "(") {
    const inner = disjunction(tokens);
    take(tokens, ")");
    return inner;
  }
  return comparison(first, tokens.shift() ?? "", tokens);
}

function comparison(field: string, operator: string, tokens: string[]): Test {
  const of = (object: object): readonly unknown[] => valuesAt(object, field.split("."));
  const some = (test: (value: unknown) => boolean) => (object: object) => of(object).some(test);
  if (operator === "IN") {
    const wanted = listed(tokens);
    return some((value) => wanted.some((one) => one === value));
  }
  const wanted = literal(tokens.shift() ?? "");
  switch (operator) {
    case "EQ":
      return some((value) => value === wanted);
    case "NE":
      return some((value) => value !== wanted);
    case "CONTAINS":
      return some((value) => typeof value === "string" && value.includes(String(wanted)));
    default:
      throw new TypeError(`no filter of this project has the operator ${operator}`);
  }
}

/** A field's value; of `tags.key` the key of each tag. A field that is missing has none. */
function valuesAt(object: object, [field = "", ...inner]: readonly string[]): readonly unknown[] {
  const value: unknown = new Map<string, unknown>(Object.entries(object)).get(field);
  const values: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (inner.length === 0) return values;
  return values.flatMap((one) => (typeof one === "object" && one !== null ? valuesAt(one, inner) : []));
}

function listed(tokens: string[]): readonly Literal[] {
  take(tokens, "[");
  const found: Literal[] = [];
  while (tokens[0] !== "]") {
    if (tokens[0] === ",") tokens.shift();
    found.push(literal(tokens.shift() ?? ""));
  }
  tokens.shift();
  return found;
}

function literal(text: string): Literal {
  if (/^['"]/u.test(text)) return text.slice(1, -1);
  return text === "true" || text === "false" ? text === "true" : Number(text);
}

function take(tokens: string[], wanted: string): void {
  const found = tokens.shift();
  if (found !== wanted) throw new TypeError(`a filter has ${found ?? "its end"} where ${wanted} belongs`);
}
