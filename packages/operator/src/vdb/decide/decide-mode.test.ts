import { equal } from "node:assert/strict";
import { test } from "node:test";
import { decideMode, type ModeFacts, type PodMode, shutsWriters } from "./decide-mode.ts";

const opened = { wasOpened: true, hooksDone: true };
const fresh = { wasOpened: false, hooksDone: false };
const rows: readonly { readonly why: string; readonly given: ModeFacts; readonly want: PodMode }[] = [
  { why: "the manifest says so", given: { mode: "Primary", present: "Standby", ...opened }, want: "Primary" },
  { why: "hooks write", given: { mode: "Standby", present: undefined, ...fresh }, want: "Primary" },
  { why: "they may run just now", given: { mode: "Standby", present: "Primary", ...fresh }, want: "Primary" },
  {
    why: "enterMode decides when",
    given: { mode: "Standby", present: "Primary", wasOpened: false, hooksDone: true },
    want: "Primary",
  },
  { why: "enterMode has", given: { mode: "Standby", present: "Standby", wasOpened: false, hooksDone: true }, want: "Standby" },
  { why: "a hook was changed since", given: { mode: "Standby", present: "Standby", ...fresh }, want: "Primary" },
  {
    why: "what it needs of a writer it most likely has",
    given: { mode: "Standby", present: "Primary", ...opened },
    want: "Standby",
  },
  { why: "its Deployment was deleted", given: { mode: "Standby", present: undefined, ...opened }, want: "Standby" },
  { why: "it stays", given: { mode: "Standby", present: "Standby", ...opened }, want: "Standby" },
  { why: "it is not through yet", given: { mode: "Standby", present: "Preparing", ...opened }, want: "Preparing" },
];
for (const { why, given, want } of rows)
  test(`decideMode: ${given.mode} on ${given.present ?? "nothing"}: ${why}`, () => equal(decideMode(given), want));

test("clients are kept from a server that may be written to and must not; a change waits with an action", () => {
  equal(shutsWriters("Standby", "Primary", "asDeclared"), true);
  equal(shutsWriters("Standby", "Primary", "asItRuns"), false, "the mode that it has is in force until the action has ended");
  equal(shutsWriters("Standby", "Preparing", "asItRuns"), true);
  for (const present of ["Standby", undefined] as const) equal(shutsWriters("Standby", present, "asDeclared"), false);
  for (const present of ["Primary", "Standby"] as const) equal(shutsWriters("Primary", present, "asDeclared"), false);
});
