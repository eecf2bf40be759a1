import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { judge, judgeCount } from "./ledger.ts";

const ledger = { sent: 5, acknowledged: new Set([1, 2, 4]) };
const once = (...numbers: readonly number[]): ReadonlyMap<number, number> => new Map(numbers.map((number) => [number, 1]));

const rows = [
  { why: "what was sent and not answered may be there", found: once(1, 2, 3, 4), want: [] },
  { why: "or not", found: once(1, 2, 4), want: [] },
  { why: "what was acknowledged has to be there", found: once(1, 3), want: ["2 rows lost though acknowledged: 2, 4"] },
  { why: "once", found: new Map([...once(1, 2, 4), [3, 2]]), want: ["1 rows doubled: 3"] },
  { why: "and nothing else", found: once(0, 1, 2, 4, 6), want: ["2 rows never sent: 0, 6"] },
];
for (const { why, found, want } of rows) test(`judge: ${why}`, () => deepEqual(judge(ledger, found), want));

const counts = [
  { why: "as many as were acknowledged", rows: 3, distinct: 3, want: [] },
  { why: "as many as were sent", rows: 5, distinct: 5, want: [] },
  { why: "fewer are a loss", rows: 2, distinct: 2, want: ["1 rows are lost though acknowledged"] },
  { why: "a number twice", rows: 4, distinct: 3, want: ["4 rows with 3 numbers, where 5 were sent"] },
  { why: "more than were sent", rows: 6, distinct: 6, want: ["6 rows with 6 numbers, where 5 were sent"] },
];
for (const { why, want, ...found } of counts)
  test(`judge by the count: ${why}`, () => deepEqual(judgeCount(ledger, found.rows, found.distinct), want));
