import { equal } from "node:assert/strict";
import { test } from "node:test";
import { type Linking, nextTry } from "./next-try.ts";

const linking: Linking = {
  linked: false,
  failed: false,
  tries: 0,
  newestMs: 0,
  lastTryMs: 0,
  copiedMs: undefined,
  intervalSeconds: undefined,
};
const rows: { name: string; why: string; given: Partial<Linking>; want: number | undefined }[] = [
  { name: "never tried", why: "a new dSource is linked at once", given: {}, want: 0 },
  {
    name: "failed once",
    why: "production comes up in seconds after us",
    given: { failed: true, tries: 1, lastTryMs: 10_000 },
    want: 12_000,
  },
  {
    name: "failed often",
    why: "the pauses grow, but not beyond 15 s",
    given: { failed: true, tries: 20, lastTryMs: 10_000 },
    want: 25_000,
  },
  {
    name: "failed before a restart",
    why: "the count is forgotten, the pause is not",
    given: { failed: true, lastTryMs: 10_000 },
    want: 12_000,
  },
  {
    name: "failed after a copy of ten minutes",
    why: "production is not read more than half of the time",
    given: { failed: true, tries: 1, lastTryMs: 10_000, copiedMs: 600_000 },
    want: 610_000,
  },
  {
    name: "failed again and again after a copy",
    why: "each try reads all of production, and this will not mend itself",
    given: { failed: true, tries: 3, lastTryMs: 10_000, copiedMs: 600_000 },
    want: 2_410_000,
  },
  {
    name: "failed often after a copy, long or short",
    why: "but a mended source is linked within the hour",
    given: { failed: true, tries: 99, lastTryMs: 10_000, copiedMs: 1 },
    want: 3_610_000,
  },
  {
    name: "failed after the copy of a small source",
    why: "a short copy is no reason for a shorter pause than none",
    given: { failed: true, tries: 1, lastTryMs: 10_000, copiedMs: 100 },
    want: 25_000,
  },
  {
    name: "linked, no interval",
    why: "snapshots are taken when asked for",
    given: { linked: true, newestMs: 5 },
    want: undefined,
  },
  {
    name: "linked, interval",
    why: "counted from the newest snapshot",
    given: { linked: true, newestMs: 5_000, intervalSeconds: 60 },
    want: 65_000,
  },
  {
    name: "interval, the last one failed",
    why: "tried again before the next interval, after a pause",
    given: { linked: true, failed: true, tries: 1, newestMs: 5_000, lastTryMs: 66_000, intervalSeconds: 60 },
    want: 68_000,
  },
];
for (const { name, why, given, want } of rows)
  test(`nextTry: ${name}`, () => equal(nextTry({ ...linking, ...given }), want, why));
