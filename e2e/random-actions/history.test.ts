import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { acknowledged, between, empty, mismatch, sent } from "./history.ts";

const ever = new Set([1, 2, 3, 4]);
const upTo = (last: number) => [1, 2, 3, 4].slice(0, last).reduce(acknowledged, empty);

test("what was acknowledged has to be there, what was sent may be", () => {
  const state = sent(upTo(2), 5);
  equal(mismatch(state, [1, 2], ever), undefined);
  equal(mismatch(state, [1, 2, 5], ever), undefined);
  match(mismatch(state, [1], ever) ?? "", /1 rows lost \(2\)/u);
});

test("a snapshot holds what was acknowledged before it began, and nothing sent after it ended", () => {
  const snapshot = between(upTo(2), upTo(4));
  equal(mismatch(snapshot, [1, 2], ever), undefined);
  equal(mismatch(snapshot, [1, 2, 3], ever), undefined, "it was taken in between");
  match(mismatch(snapshot, [1, 2, 4], ever) ?? "", /missing in the middle \(3\)/u);
  match(mismatch(snapshot, [1, 2, 3, 4, 7], ever) ?? "", /of another history \(7\)/u);
});

test("a row that comes twice is told", () => {
  match(mismatch(upTo(1), [1, 1], ever) ?? "", /twice/u);
});
