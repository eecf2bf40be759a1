import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { sampled, turns } from "./tier.ts";

const letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
const seeds = Array.from({ length: 200 }, (_, index) => index * 7919);

test("a sample is so many of them in their order, the same for the same seed", () => {
  for (const seed of seeds) {
    const sample = sampled("letters", letters, 3, { isFull: false, seed });
    equal(new Set(sample).size, 3);
    deepEqual(sample, sample.toSorted());
    deepEqual(sampled("letters", letters, 3, { isFull: false, seed }), sample);
  }
});

test("the seeds come to everything, each about as often as the others", () => {
  const counts = new Map(letters.map((letter) => [letter, 0]));
  for (const seed of seeds)
    for (const letter of sampled("letters", letters, 2, { isFull: false, seed }))
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
  for (const [letter, count] of counts) ok(count > 20, `${letter}: ${count} of ${seeds.length}`);
});

test("two lists of one length are not sampled alike", () => {
  const [some, others] = ["letters", "others"].map((what) =>
    seeds.map((seed) => sampled(what, letters, 1, { isFull: false, seed })),
  );
  notDeepEqual(some, others);
});

test("the full tier leaves nothing out", () => {
  deepEqual(sampled("letters", letters, 1, { isFull: true, seed: 1 }), letters);
  deepEqual(
    letters.map(turns("letters", letters, 1, { isFull: true, seed: 1 })),
    letters.map(() => false),
  );
});

test("of tests that take turns so many run, and the others say which seed left them out", () => {
  const found = letters.map(turns("letters", letters, 6, { isFull: false, seed: 5 }));
  deepEqual(
    found.filter((skip) => skip !== false),
    ["not in the sample of TEST_SEED=5", "not in the sample of TEST_SEED=5"],
  );
});
