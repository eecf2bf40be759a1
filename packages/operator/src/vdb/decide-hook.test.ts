import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { Hook, HookRun } from "@vdb/api";
import { decideHook, type HookPlan, scriptHash } from "./decide-hook.ts";

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
