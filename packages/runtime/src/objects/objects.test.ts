import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { stampCondition } from "./conditions.ts";
import { keyOf, parseKey } from "./object.ts";
import { compareResourceVersions } from "./resource-version.ts";

test("resource versions compare as the numbers they are, however long", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.bigInt({ min: 0n, max: 2n ** 80n }), (a, b) => {
      equal(Math.sign(compareResourceVersions(String(a), String(b))), a < b ? -1 : Number(a > b));
    }),
  );
});

test("a key is read back as it was written", () => {
  const name = fc.stringMatching(/^[a-z0-9.-]{1,30}$/u);
  fc.assert(
    fc.property(name, fc.option(name, { nil: undefined }), (object, namespace) => {
      const key = namespace === undefined ? { name: object } : { namespace, name: object };
      deepEqual(parseKey(keyOf({ metadata: key })), key);
    }),
  );
});

test("the transition time of a condition moves with its status alone", () => {
  const before = { type: "Ready", status: "True", reason: "A", message: "a", lastTransitionTime: "then" } as const;
  const at = { time: "now", observedGeneration: 3 };
  const other = stampCondition(before, { type: "Ready", status: "True", reason: "B", message: "b" }, at);
  deepEqual(other, {
    type: "Ready",
    status: "True",
    reason: "B",
    message: "b",
    lastTransitionTime: "then",
    observedGeneration: 3,
  });
  equal(stampCondition(before, { ...before, status: "False" }, at).lastTransitionTime, "now");
  equal(stampCondition(undefined, before, at).lastTransitionTime, "now");
});
