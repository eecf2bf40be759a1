import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { allOf, anyOf, eq, isQuotable, not, oneOf, UnquotableValue } from "./filter.ts";

test("expressions are spelled as DCT documents them", () => {
  equal(allOf(eq("name", "it's"), not(eq("enabled", true))), `(name EQ "it's") AND (NOT (enabled EQ true))`);
  equal(anyOf(eq("id", 'a"b'), oneOf("status", ["A", "B"])), `(id EQ 'a"b') OR (status IN ['A', 'B'])`);
});

test("a value with both quotes, or with control characters, is refused", () => {
  for (const bad of [`a'b"c`, "a\nb", "a\u0000"]) throws(() => eq("name", bad), UnquotableValue, JSON.stringify(bad));
});

test("whatever the value, it stands inside its own quotes or is refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      if (!isQuotable(value)) return;
      const [, quote = "", inner = ""] = /^name EQ (['"])(.*)\1$/su.exec(eq("name", value)) ?? [];
      equal(inner, value);
      equal(inner.includes(quote), false);
    }),
  );
});
