import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Page, pageOf, pageQueryOf } from "./page.ts";

type Item = { readonly id: string; readonly name: string };
const query = (text: string) => pageQueryOf(new URLSearchParams(text), ["id", "name"], "id");

/** Follows the cursors to the end; `between` is called after each page and may change the list. */
function walk(items: Item[], sort: string, limit: number, between: () => void = () => undefined): string[] {
  const seen: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page: Page<Item> = pageOf(items, { sort, limit, cursor: cursor === "" ? undefined : cursor });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.response_metadata.next_cursor;
    between();
  }
  return seen;
}

test("pages hold every object once, in order, whatever the size of a page", () => {
  const item = fc.record({ id: fc.nat({ max: 500 }).map((n) => `1-X-${n}`), name: fc.constantFrom("a", "b", "c") });
  const items = fc.uniqueArray(item, { selector: ({ id }) => id, maxLength: 40 });
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 9 }), fc.constantFrom("id", "-id", "name", "-name"), (all, limit, sort) => {
      const seen = walk(all, sort, limit);
      deepEqual(seen, walk(all, sort, 1000));
      equal(new Set(seen).size, all.length);
    }),
  );
});

test("an object that goes between two pages makes no other disappear", () => {
  const items = Array.from({ length: 9 }, (_, i) => ({ id: `v${i}`, name: "" }));
  const seen = walk(items, "id", 3, () => void items.shift());
  deepEqual(seen, ["v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"]);
});

test("2 comes before 10, and newest first is possible", () => {
  const items = [10, 2, 1].map((n) => ({ id: `1-APPDATA_CONTAINER-${n}`, name: String(n) }));
  deepEqual(
    walk(items, "id", 10).map((id) => id.split("-").at(-1)),
    ["1", "2", "10"],
  );
});

test("a page says how many there are in all", () => {
  const page = pageOf([{ id: "a" }, { id: "b" }], { limit: 1, sort: "id", cursor: undefined });
  equal(page.response_metadata.total, 2);
  ok(page.response_metadata.next_cursor);
});

for (const bad of ["limit=0", "limit=1001", "limit=x", "sort=nonsense", "sort=--id"])
  test(`a query is refused: ${bad}`, () => throws(() => query(bad), { kind: "badRequest" }));

test("a cursor of one's own making is refused", () => throws(() => pageOf([], query("cursor=abc")), { kind: "badRequest" }));

test("what is left out has a default", () => deepEqual(query(""), { limit: 100, sort: "id", cursor: undefined }));
