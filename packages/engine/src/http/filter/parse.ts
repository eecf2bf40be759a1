import { badRequest } from "../../refusal.ts";
import { type Token, tokenize } from "./tokens.ts";

/** A literal value; dates are milliseconds since 1970. */
export type Literal =
  | { readonly kind: "nil" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "date"; readonly value: number }
  | { readonly kind: "text"; readonly value: string };

const operators = ["EQ", "NE", "GT", "GE", "LT", "LE", "CONTAINS"] as const;
export type Operator = (typeof operators)[number];

export type Expression =
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "not"; readonly inner: Expression }
  | { readonly kind: "compare"; readonly field: string; readonly operator: Operator; readonly value: Literal }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly Literal[] }
  | { readonly kind: "search"; readonly text: string };

/** Limits of the contract (length as of DCT 3.28), and one of ours: deeper nesting would be an attack on the stack. */
const limits = { shortest: 5, longest: 50_000, listValues: 100, fields: 8, depth: 100 } as const;

/** Reads an expression. NOT binds tighter than AND, AND tighter than OR; keywords in any case. Throws a 400 that names the place. */
export function parseFilter(expression: string): Expression {
  if (expression.length < limits.shortest || expression.length > limits.longest) {
    throw badRequest(
      `filter expression: has ${expression.length} characters; ${limits.shortest} to ${limits.longest} are allowed`,
    );
  }
  const cursor = new Cursor(tokenize(expression));
  const parsed = parseOr(cursor, 0);
  cursor.end();
  if (cursor.fields.size > limits.fields)
    throw badRequest(`filter expression: has ${cursor.fields.size} different fields; ${limits.fields} are allowed`);
  return parsed;
}

class Cursor {
  readonly fields = new Set<string>();
  readonly #tokens: readonly Token[];
  #next = 0;
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  take(wanted: string): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw badRequest(`filter expression: ends where ${wanted} must follow`);
    this.#next += 1;
    return token;
  }

  /** Takes the next token if it is this keyword or mark. */
  skip(text: string): boolean {
    const token = this.#tokens[this.#next];
    const hit = token !== undefined && (token.kind === "word" || token.kind === "mark") && token.text.toUpperCase() === text;
    if (hit) this.#next += 1;
    return hit;
  }

  require(text: string): void {
    if (!this.skip(text)) throw unexpected(this.take(text), text);
  }

  end(): void {
    const token = this.#tokens[this.#next];
    if (token !== undefined) throw unexpected(token, "the end");
  }
}

const unexpected = (token: Token, wanted: string): Error =>
  badRequest(`filter expression: must have ${wanted} at position ${token.at}, not ${"text" in token ? token.text : token.value}`);

function parseOr(cursor: Cursor, depth: number): Expression {
  let left = parseAnd(cursor, depth);
  while (cursor.skip("OR")) left = { kind: "or", left, right: parseAnd(cursor, depth) };
  return left;
}

function parseAnd(cursor: Cursor, depth: number): Expression {
  let left = parseNot(cursor, depth);
  while (cursor.skip("AND")) left = { kind: "and", left, right: parseNot(cursor, depth) };
  return left;
}

function parseNot(cursor: Cursor, depth: number): Expression {
  if (depth > limits.depth) throw badRequest(`filter expression: is nested deeper than ${limits.depth} levels`);
  if (cursor.skip("NOT")) return { kind: "not", inner: parseNot(cursor, depth + 1) };
  if (!cursor.skip("(")) return parseTerm(cursor);
  const inner = parseOr(cursor, depth + 1);
  cursor.require(")");
  return inner;
}

function parseTerm(cursor: Cursor): Expression {
  const token = cursor.take("a field name");
  if (token.kind !== "word") throw unexpected(token, "a field name");
  if (token.text.toUpperCase() === "SEARCH") {
    const text = cursor.take("a text");
    if (text.kind !== "text") throw unexpected(text, "a text in quotes");
    return { kind: "search", text: text.value };
  }
  cursor.fields.add(token.text);
  if (cursor.skip("IN")) return { kind: "in", field: token.text, values: parseList(cursor) };
  const operator = operators.find((one) => cursor.skip(one));
  if (operator === undefined) throw unexpected(cursor.take("an operator"), "an operator");
  return { kind: "compare", field: token.text, operator, value: parseLiteral(cursor) };
}

function parseList(cursor: Cursor): readonly Literal[] {
  cursor.require("[");
  const values: Literal[] = [];
  while (!cursor.skip("]")) {
    if (values.length > 0) cursor.require(",");
    values.push(parseLiteral(cursor));
  }
  if (values.length > limits.listValues)
    throw badRequest(`filter expression: has a list of ${values.length} values; ${limits.listValues} are allowed`);
  return values;
}

const words: ReadonlyMap<string, Literal> = new Map([
  ["NIL", { kind: "nil" }],
  ["TRUE", { kind: "boolean", value: true }],
  ["FALSE", { kind: "boolean", value: false }],
]);

function parseLiteral(cursor: Cursor): Literal {
  const token = cursor.take("a value");
  switch (token.kind) {
    case "text":
      return { kind: "text", value: token.value };
    case "number":
    case "date":
      return { kind: token.kind, value: token.value };
    case "word": {
      const literal = words.get(token.text.toUpperCase());
      if (literal !== undefined) return literal;
      throw unexpected(token, "a value (put texts in quotes)");
    }
    case "mark":
      throw unexpected(token, "a value");
    default:
      return token satisfies never;
  }
}
