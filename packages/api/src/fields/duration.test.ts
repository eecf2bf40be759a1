import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { durationMilliseconds } from "./duration.ts";

for (const [text, want] of [
  ["30s", 30_000],
  ["1h30m", 5_400_000],
  ["1m500ms", 60_500],
  ["0s", 0],
] as const)
  test(`durationMilliseconds: ${text}`, () => equal(durationMilliseconds(text), want));

for (const text of ["", "30", "1d", "-5s", "5 s"])
  test(`durationMilliseconds: refuses ${JSON.stringify(text)}`, () => throws(() => durationMilliseconds(text), RangeError));
