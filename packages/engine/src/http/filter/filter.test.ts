import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { allOf, anyOf, eq, type Filter, not, oneOf } from "@vdb/dct";
import * as fc from "fast-check";
import { Refusal } from "../../refusal.ts";
import { compileFilter, type FilterFields } from "./match.ts";
import { parseFilter } from "./parse.ts";

const fields: FilterFields = {
  id: "text",
  name: "text",
  size: "number",
  enabled: "boolean",
  created: "date",
  "tags.key": "text",
  "tags.value": "text",
  note: "text",
};
const objects = [
  { id: "1", name: "orders", size: 10, enabled: true, created: "2026-01-01T00:00:00Z", tags: [{ key: "pvc", value: "a" }] },
  { id: "2", name: "it's", size: 2.5, enabled: false, created: "2026-02-01T00:00:00Z", tags: [] },
  { id: "3", name: 'say "hi"', size: -1, enabled: true, created: "2026-03-01T12:00:00+02:00", note: "Orders of last year" },
];
const matching = (expression: string): string => {
  const matches = compileFilter(parseFilter(expression), fields);
  return objects
    .filter(matches)
    .map(({ id }) => id)
    .join("");
};

const rows: readonly (readonly [expression: string, ids: string, why: string])[] = [
  ["name EQ 'orders'", "1", "single quotes"],
  [`name EQ "it's"`, "2", "double quotes hold a single one"],
  [`name EQ 'say "hi"'`, "3", "single quotes hold double ones"],
  ["name eq 'orders' Or id Eq '2'", "12", "keywords in any case"],
  ["name NE 'orders'", "23", "not equal"],
  ["size GT 2.5", "1", "greater"],
  ["size GE 2.5", "12", "greater or equal"],
  ["size LT 1.2e1 AND size LE 2.5", "23", "less, with an exponent"],
  ["size EQ -1", "3", "negative"],
  ["enabled EQ true", "13", "boolean"],
  ["created GE 2026-02-01T00:00:00Z", "23", "a date-time without quotes"],
  ["created LT '2026-03-01T10:00:01Z' AND created GT 2026-02-02T00:00:00+01:00", "3", "time zones, and a date-time in quotes"],
  ["name CONTAINS 'er'", "1", "substring"],
  ["name IN ['orders', \"it's\"]", "12", "list"],
  ["name IN []", "", "an empty list"],
  ["NOT name EQ 'orders' AND enabled EQ true", "3", "NOT binds tighter than AND"],
  ["NOT (name EQ 'orders' OR id EQ '2')", "3", "parentheses"],
  ["NOT NOT id EQ '1'", "1", "NOT associates to the right"],
  ["id EQ '1' OR id EQ '2' AND enabled EQ true", "1", "AND binds tighter than OR"],
  ["(id EQ '1' OR id EQ '2') AND enabled EQ false", "2", "parentheses over precedence"],
  ["tags.key EQ 'pvc' AND tags.value EQ 'a'", "1", "into a list of objects"],
  ["tags.key NE 'pvc'", "23", "none of the list equals"],
  ["note EQ nil", "12", "missing"],
  ["note NE NIL", "3", "there"],
  ["SEARCH 'ORDERS'", "13", "every field, any case"],
  ["name EQ 'AND'", "", "a keyword in quotes is a text"],
];
for (const [expression, ids, why] of rows) test(`filter: ${expression} (${why})`, () => equal(matching(expression), ids));

const refusals: readonly (readonly [expression: string, says: string])[] = [
  ["nme EQ 'x'", "there is no field nme; fields: created, enabled"],
  ["name EQ orders", "put texts in quotes"],
  ["name EQ 'it's'", "position"],
  ["name EQ 'x' AND", "ends where a field name must follow"],
  ["(name EQ 'x'", "ends where ) must follow"],
  ["name EQ 'x')", "must have the end"],
  ["name LIKE 'x'", "must have an operator"],
  ["name EQ 5", "name is a text, 5 is a number"],
  ["size EQ '5'", "size is a number"],
  ["enabled GT true", "does not fit enabled"],
  ["size CONTAINS 5", "does not fit size"],
  ["size GT nil", "use EQ or NE"],
  ["created EQ 'soon'", "created is a date"],
  ["a;b", "3 characters"],
  ["name EQ 'x'; DROP", "is not readable from position"],
  ["SEARCH name", "a text in quotes"],
  [`name IN [${Array.from({ length: 101 }, (_, i) => `'${i}'`).join(",")}]`, "a list of 101"],
  [`${"(".repeat(200)}name EQ 'x'${")".repeat(200)}`, "nested deeper"],
  ["a EQ 1 AND b EQ 1 AND c EQ 1 AND d EQ 1 AND e EQ 1 AND f EQ 1 AND g EQ 1 AND h EQ 1 AND i EQ 1", "9 different fields"],
  ["constructor EQ 'x'", "there is no field constructor"],
];
for (const [expression, says] of refusals) {
  test(`filter refused: ${expression.slice(0, 50)}`, () =>
    throws(
      () => matching(expression),
      (error) => error instanceof Refusal && error.kind === "badRequest" && error.message.includes(says),
    ));
}

/** Expressions as the client's builder makes them, each beside what it has to mean. */
type Case = { readonly filter: Filter; readonly means: (name: string) => boolean };
const word = fc.stringMatching(/^[^'"\p{Cc}]{1,12}$/u);
const { expression } = fc.letrec<{ expression: Case }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small" },
    word.map((value): Case => ({ filter: eq("name", value), means: (name) => name === value })),
    fc
      .array(word, { maxLength: 4 })
      .map((values): Case => ({ filter: oneOf("name", values), means: (name) => values.includes(name) })),
    tie("expression").map(({ filter, means }): Case => ({ filter: not(filter), means: (name) => !means(name) })),
    fc
      .tuple(tie("expression"), tie("expression"))
      .map(([a, b]): Case => ({ filter: allOf(a.filter, b.filter), means: (name) => a.means(name) && b.means(name) })),
    fc
      .tuple(tie("expression"), tie("expression"))
      .map(([a, b]): Case => ({ filter: anyOf(a.filter, b.filter), means: (name) => a.means(name) || b.means(name) })),
  ),
}));

test("what the client builds means the same here, whatever the names", () => {
  fc.assert(
    fc.property(expression, word, ({ filter, means }, other) => {
      const names = [...filter.matchAll(/'([^']*)'/gu)].map(([, name = ""]) => name).concat(other);
      const matches = compileFilter(parseFilter(filter), fields);
      deepEqual(
        names.map((name) => matches({ name })),
        names.map(means),
      );
    }),
  );
});

test("any text is an expression or a refusal, never a crash", () => {
  const piece = fc.constantFrom(
    "name",
    "EQ",
    "AND",
    "NOT",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'x'",
    '"',
    "'",
    "5",
    "1e",
    "nil",
    "IN",
    "SEARCH",
    "2026-01-01T00:00:00Z",
    "\n",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(" ")),
      ),
      (text) => {
        try {
          compileFilter(parseFilter(text), fields)({ name: "x" });
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
      },
    ),
  );
});
