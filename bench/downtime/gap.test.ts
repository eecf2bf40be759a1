import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { type Answer, gap, parseAnswer } from "./gap.ts";

const answers = (...all: readonly (readonly [number, string])[]): readonly Answer[] =>
  all.map(([at, server]) => ({ at, server }));

test("from the last answer of the old server to the first of the new one", () => {
  equal(gap(answers([1, "old"], [1.25, "old"], [4.5, "new"], [4.75, "new"])), 3.25);
});

test("answers overtake each other", () => {
  equal(gap(answers([4.75, "new"], [1.25, "old"], [4.5, "new"], [1, "old"])), 3.25);
});

test("a third server does not move the end, and nothing after the end counts", () => {
  equal(gap(answers([1, "old"], [3, "new"], [3.5, "old"], [9, "third"])), 2);
});

test("no gap without two servers", () => {
  equal(gap([]), undefined);
  equal(gap(answers([1, "old"], [2, "old"])), undefined);
});

test("only a whole line of time and server is an answer", () => {
  deepEqual(parseAnswer("1795660000.123456 1795650000.5"), { at: 1_795_660_000.123456, server: "1795650000.5" });
  for (const line of ["", "1795660000.123456 ", "psql: error: connection refused", "1795660000.1 1795650000.5 more"])
    ok(parseAnswer(line) === undefined, line);
});
