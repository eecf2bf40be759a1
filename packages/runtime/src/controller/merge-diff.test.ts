import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { applyMergePatch } from "../testing/merge-patch.ts";
import { mergeDiff } from "./merge-diff.ts";

/** JSON without null: a merge patch cannot say null, and the API server drops it. */
const { tree } = fc.letrec<{ tree: Record<string, unknown>; value: unknown }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: "small" },
    fc.boolean(),
    fc.nat(3),
    fc.constantFrom("x", "y"),
    fc.array(fc.nat(2), { maxLength: 3 }),
    tie("tree"),
  ),
}));

test("the patch turns the one into the other, and there is none exactly when they are the same", () => {
  fc.assert(
    fc.property(tree, tree, (before, after) => {
      const patch = mergeDiff(before, after);
      if (patch === undefined) deepEqual(after, before);
      else deepEqual(applyMergePatch(before, patch), after);
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(tree, (same) => equal(mergeDiff(same, structuredClone(same)), undefined)));
});
