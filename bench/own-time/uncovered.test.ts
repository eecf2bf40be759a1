import { equal } from "node:assert/strict";
import { test } from "node:test";
import { inARow, uncovered } from "./uncovered.ts";

const span = { from: 10, to: 30 };

test("what overlaps counts once", () => {
  equal(
    uncovered(span, [
      { from: 18, to: 22 },
      { from: 12, to: 20 },
    ]),
    10,
  );
});

test("what lies outside or reaches over an end counts as far as it lies inside", () => {
  equal(
    uncovered(span, [
      { from: 1, to: 5 },
      { from: 5, to: 12 },
      { from: 28, to: 40 },
      { from: 50, to: 60 },
    ]),
    16,
  );
});

test("nothing awaited leaves all, everything awaited nothing", () => {
  equal(uncovered(span, []), 20);
  equal(uncovered(span, [{ from: 0, to: 100 }]), 0);
});

test("those beside each other count once, those that touch twice", () => {
  const [first, beside, behind] = [
    { from: 0, to: 10 },
    { from: 2, to: 12 },
    { from: 10, to: 20 },
  ];
  equal(inARow([]), 0);
  equal(inARow([beside, first]), 1);
  equal(inARow([behind, beside, first]), 2);
});
