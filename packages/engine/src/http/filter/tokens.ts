import { badRequest } from "../../refusal.ts";

/** The smallest parts of a filter expression. Words are field names and keywords; keywords are told apart by the parser. */
export type Token =
  | { readonly kind: "word"; readonly text: string; readonly at: number }
  | { readonly kind: "text"; readonly value: string; readonly at: number }
  | { readonly kind: "number"; readonly value: number; readonly at: number }
  | { readonly kind: "date"; readonly value: number; readonly at: number }
  | { readonly kind: "mark"; readonly text: string; readonly at: number };

/** Tried in this order at each place: a date-time begins like a number. */
const patterns = [
  { kind: "space", pattern: /\s+/uy },
  { kind: "date", pattern: /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/iuy },
  { kind: "number", pattern: /[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/uy },
  { kind: "word", pattern: /[A-Za-z_][A-Za-z0-9_.]*/uy },
  { kind: "text", pattern: /'[^']*'|"[^"]*"/uy },
  { kind: "mark", pattern: /[()[\],]/uy },
] as const;

export function tokenize(expression: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length; ) {
    const hit = matchAt(expression, at);
    if (hit === undefined)
      throw badRequest(`filter expression: is not readable from position ${at} on: ${expression.slice(at, at + 20)}`);
    const token = tokenOf(hit.kind, hit.text, at);
    if (token !== undefined) tokens.push(token);
    at += hit.text.length;
  }
  return tokens;
}

function matchAt(expression: string, at: number): { kind: (typeof patterns)[number]["kind"]; text: string } | undefined {
  for (const { kind, pattern } of patterns) {
    pattern.lastIndex = at;
    const [text] = pattern.exec(expression) ?? [];
    if (text !== undefined) return { kind, text };
  }
  return undefined;
}

function tokenOf(kind: (typeof patterns)[number]["kind"], text: string, at: number): Token | undefined {
  switch (kind) {
    case "space":
      return undefined;
    case "date": {
      const value = Date.parse(text);
      if (Number.isNaN(value)) throw badRequest(`filter expression: ${text} is not a date-time`);
      return { kind, value, at };
    }
    case "number":
      return { kind, value: Number(text), at };
    case "text":
      return { kind, value: text.slice(1, -1), at };
    case "word":
    case "mark":
      return { kind, text, at };
    default:
      return kind satisfies never;
  }
}
