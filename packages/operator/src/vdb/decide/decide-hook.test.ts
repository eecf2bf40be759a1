import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Hook, HookRun } from "@vdb/api";
import { decideHook, forsaken, type HookPlan, scriptHash } from "./decide-hook.ts";

const hook: Hook = {
  name: "mask",
  stage: "post-create",
  type: "sql",
  script: "UPDATE x",
  timeoutSeconds: 300,
  continueOnError: false,
};
const record = (changes: Partial<HookRun> = {}): HookRun => ({
  stage: "post-create",
  name: "mask",
  contentId: "now",
  scriptHash: scriptHash(hook),
  pod: "pod-1",
  outcome: "Running",
  ...changes,
});

const rows: { name: string; why: string; record?: HookRun; hook?: Hook; want: HookPlan["kind"] }[] = [
  { name: "nothing is recorded", why: "it has not begun", want: "run" },
  { name: "it runs in this pod", why: "its end is asked for, by the same command", record: record(), want: "run" },
  {
    name: "it ran in a pod that is gone",
    why: "it may have taken effect: to run it again is not ours to decide",
    record: record({ pod: "pod-0" }),
    want: "interrupted",
  },
  { name: "it succeeded", why: "once is enough", record: record({ outcome: "Succeeded" }), want: "next" },
  {
    name: "it succeeded on former data",
    why: "new data is not masked yet",
    record: record({ outcome: "Succeeded", contentId: "before" }),
    want: "run",
  },
  {
    name: "it failed",
    why: "clients must not see what it should have changed",
    record: record({ outcome: "Failed" }),
    want: "failed",
  },
  {
    name: "it failed, and was corrected",
    why: "a correction has to be enough",
    record: record({ outcome: "Failed" }),
    hook: { ...hook, script: "UPDATE y" },
    want: "run",
  },
  {
    name: "it failed, and may",
    why: "continueOnError says so",
    record: record({ outcome: "TimedOut" }),
    hook: { ...hook, continueOnError: true },
    want: "next",
  },
  { name: "it was interrupted", why: "as a failure", record: record({ outcome: "Interrupted" }), want: "failed" },
];

for (const { name, why, record: recorded, hook: given = hook, want } of rows)
  test(`decideHook: ${name}`, () =>
    equal(decideHook({ hook: given, record: recorded, contentId: "now", podUid: "pod-1" }).kind, want, why));

const where = { contentId: "now", podUid: "pod-1" };
const leftOver: { name: string; why: string; record: HookRun; hooks: readonly Hook[]; ended: boolean }[] = [
  { name: "it is as it was", why: "its end is waited for", record: record(), hooks: [hook], ended: false },
  {
    name: "its text was changed",
    why: "its successor must not run beside it",
    record: record(),
    hooks: [{ ...hook, script: "UPDATE y" }],
    ended: true,
  },
  { name: "it was removed", why: "the gate must not open while it writes", record: record(), hooks: [], ended: true },
  {
    name: "its time was changed",
    why: "that makes no other run of it",
    record: record(),
    hooks: [{ ...hook, timeoutSeconds: 1 }],
    ended: false,
  },
  { name: "it has ended", why: "nothing runs", record: record({ outcome: "Failed" }), hooks: [], ended: false },
  { name: "its pod is gone", why: "it went with its pod", record: record({ pod: "pod-0" }), hooks: [], ended: false },
  { name: "its data is former", why: "so is its pod", record: record({ contentId: "before" }), hooks: [], ended: false },
];
for (const { name, why, record: recorded, hooks, ended } of leftOver)
  test(`forsaken: ${name}`, () => deepEqual(forsaken([recorded], hooks, where), ended ? [recorded] : [], why));
