import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { safeLabelValue } from "./labels.ts";

const rows: { name: string; why: string; text: string; want: string | RegExp }[] = [
  { name: "an ordinary name", why: "the documented queries work as written", text: "my-postgres-vdb", want: "my-postgres-vdb" },
  { name: "capitals, '_' and '.'", why: "they are legal in a label", text: "Prod_DB.2026", want: "Prod_DB.2026" },
  { name: "empty", why: "Kubernetes allows it", text: "", want: "" },
  { name: "63 characters", why: "the limit itself is legal", text: "a".repeat(63), want: "a".repeat(63) },
  {
    name: "64 characters",
    why: "one too many is cut, and told apart by its hash",
    text: "a".repeat(64),
    want: /^a{54}-[0-9a-f]{8}$/u,
  },
  {
    name: "a slash and a space",
    why: "illegal characters go",
    text: "staging/my orders",
    want: /^stagingmyorders-[0-9a-f]{8}$/u,
  },
  { name: "illegal at the ends", why: "a value begins with a letter or digit", text: "-x-", want: /^x--[0-9a-f]{8}$/u },
  { name: "nothing legal", why: "the hash alone is left", text: "数据库", want: /^[0-9a-f]{8}$/u },
];
for (const { name, why, text, want } of rows) {
  test(`safeLabelValue: ${name}`, () => {
    const value = safeLabelValue(text);
    if (typeof want === "string") equal(value, want, why);
    else match(value, want, why);
  });
}

test("safeLabelValue: the hash is that of the text, for ever", () => {
  equal(safeLabelValue("My Group"), "MyGroup-5c5d4cfd", "a changed value would empty the queries that users have written down");
});

const legal = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/u;

test("safeLabelValue: whatever the text, the value is legal, and a legal one is kept", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 90 }), fc.stringMatching(/^[-A-Za-z0-9_.]{0,80}$/u)), (text) => {
      const value = safeLabelValue(text);
      match(value, legal);
      equal(value.length <= 63, true);
      equal(safeLabelValue(value), value, "safe values are safe");
      if (legal.test(text) && text.length <= 63) equal(value, text);
    }),
  );
});
