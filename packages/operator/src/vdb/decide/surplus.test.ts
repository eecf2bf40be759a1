import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { surplusOf, type Taken } from "./surplus.ts";

const now = Date.parse("2026-01-10T00:00:00Z");
/** Taken so many hours ago. */
const ago = (name: string, hours: number): Taken => ({ name, takenMs: now - hours * 3_600_000 });
const all = [ago("noon", 12), ago("new", 1), ago("old", 100), ago("day", 24)];

const rows: {
  name: string;
  why: string;
  limits: Parameters<typeof surplusOf>[0];
  of?: readonly Taken[];
  want: readonly [beyond: string, nextSeconds: number | undefined];
}[] = [
  { name: "keep", why: "the newest stay, the oldest goes first", limits: { keep: 2 }, want: ["old day", undefined] },
  { name: "keep more than there are", why: "none goes", limits: { keep: 9 }, want: ["", undefined] },
  { name: "maxAge", why: "the next look is when the next one is as old", limits: { maxAge: "30h" }, want: ["old", 6 * 3600] },
  { name: "just as old", why: "maxAge is the first moment of too old", limits: { maxAge: "24h" }, want: ["old day", 12 * 3600] },
  { name: "all too old", why: "the last one goes too", limits: { maxAge: "1m" }, want: ["old day noon new", undefined] },
  { name: "both", why: "each limit by itself", limits: { keep: 3, maxAge: "20h" }, want: ["old day", 8 * 3600] },
  {
    name: "both, keep is less",
    why: "each limit by itself",
    limits: { keep: 1, maxAge: "20h" },
    want: ["old day noon", 19 * 3600],
  },
  {
    name: "of one second",
    why: "which of them is the newest is not known: they stay until newer ones push out all",
    limits: { keep: 1 },
    of: [ago("b", 1), ago("a", 1), ago("old", 2)],
    want: ["old", undefined],
  },
  { name: "none", why: "nothing to do", limits: { keep: 1, maxAge: "1h" }, of: [], want: ["", undefined] },
];
for (const { name, why, limits, of = all, want } of rows)
  test(`surplus: ${name}`, () => {
    const { beyond, nextSeconds } = surplusOf(limits, of, now);
    deepEqual([beyond.map((one) => one.name).join(" "), nextSeconds], want, why);
  });
