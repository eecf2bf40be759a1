import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { vdbRefresh } from "@vdb/api";
import { createVirtualClock } from "kube-runtime/testing";
import { assertGolden } from "../testing/golden.ts";
import { anAction, aVdb, conditions, readyVdb } from "../testing/objects.ts";
import { recorded } from "../testing/world.ts";
import { goalOf, judge } from "./goal.ts";
import { labelOf, phasesThrough } from "./labels.ts";
import { startProgress } from "./progress.ts";

for (const kind of ["pipe", "terminal"] as const)
  test(`progress on a ${kind}`, async () => {
    const [output, clock] = [recorded(kind, 40), createVirtualClock()];
    {
      using progress = startProgress(output, clock);
      progress.say({ text: "Pending: waits for PostgresTask shop/report", tone: "busy" });
      await clock.advance(250);
      progress.say({
        text: "Refreshing",
        tone: "busy",
        detail: "Refreshing: job 17\nof DCT, a message that is too long for the line",
      });
      progress.say({ text: "Refreshing", tone: "busy" }); // is told already
      await clock.advance(12_100);
      progress.say({ text: "Completed", tone: "good" });
    }
    await clock.advance(1000);
    // Of the moving line the first and the last picture of each label: the others differ in the seconds.
    const pictures = output.written().split(/(?=\r)/u);
    assertGolden(`progress-${kind}`, pictures.filter((_, at) => at < 6 || at > pictures.length - 4).join("\n"));
  });

const stalled = conditions("Stalled+ SourceNotFound: no such dSource", "Ready- SourceNotFound: no such dSource");
for (const { name, why, goal, object, want } of [
  { name: "ready", why: "Ready is what clients go by", goal: "ready", object: readyVdb(), want: "met" },
  {
    name: "ready of an earlier spec",
    why: "the operator has not seen the change yet",
    goal: "ready",
    object: readyVdb({ metadata: { generation: 2 } }),
    want: "notYet",
  },
  {
    name: "stalled",
    why: "a person has to act",
    goal: "ready",
    object: aVdb({ status: { phase: "Error", conditions: stalled } }),
    want: "never",
  },
  {
    name: "stalled with an earlier spec",
    why: "the correction is on its way",
    goal: "ready",
    object: aVdb({ metadata: { generation: 2 }, status: { conditions: stalled } }),
    want: "notYet",
  },
  {
    name: "stalled while its condition is waited for",
    why: "whoever names a condition decides themselves",
    goal: "condition=Stalled",
    object: aVdb({ status: { conditions: stalled } }),
    want: "met",
  },
  {
    name: "a condition that is False",
    why: "the status after = is compared",
    goal: "condition=Ready=False",
    object: aVdb({ status: { conditions: stalled } }),
    want: "met",
  },
  {
    name: "gone while ready is waited for",
    why: "nobody can wait for what is gone",
    goal: "ready",
    object: undefined,
    want: "never",
  },
  {
    name: "going while ready is waited for",
    why: "it will not come back",
    goal: "ready",
    object: readyVdb({ metadata: { deletionTimestamp: "2026-01-31T12:00:00Z", generation: 2 } }),
    want: "never",
  },
  { name: "gone while that is waited for", why: "it is the goal", goal: "deleted", object: undefined, want: "met" },
  {
    name: "stopped while ready is waited for",
    why: "nobody has asked for it to run",
    goal: "ready",
    object: readyVdb({ spec: { enabled: false } }),
    want: "never",
  },
  { name: "stopped", why: "the phase says it", goal: "stopped", object: aVdb({ status: { phase: "Stopped" } }), want: "met" },
  {
    name: "a phase",
    why: "any phase may be waited for",
    goal: "phase=Provisioning",
    object: aVdb({ status: { phase: "Provisioning" } }),
    want: "met",
  },
  {
    name: "a completed action",
    why: "an action is Ready once it has completed",
    goal: "completed",
    object: anAction(vdbRefresh, { status: { phase: "Completed", conditions: conditions("Ready+ Completed") } }),
    want: "met",
  },
  {
    name: "a failed action",
    why: "another try is another object",
    goal: "completed",
    object: anAction(vdbRefresh, { status: { phase: "Error", conditions: conditions("Stalled+ HookFailed: x") } }),
    want: "never",
  },
] as const)
  test(`wait: ${name}`, () => {
    const read = goalOf(goal);
    equal(read === undefined ? "no goal" : judge(read, object).kind, want, why);
  });

for (const text of ["", "phase", "phase=", "condition=", "ready=True", "Ready?", "jsonpath={.status}"])
  test(`--for=${text} is refused`, () => equal(goalOf(text), undefined));

for (const { name, object, want } of [
  {
    name: "a phase alone",
    object: aVdb({ status: { phase: "Provisioning", conditions: conditions("Reconciling+ Progressing: the claim is made") } }),
    want: "Provisioning",
  },
  {
    name: "a phase and why it lasts",
    object: anAction(vdbRefresh, { status: { conditions: conditions("Reconciling+ Queued: waits for x") } }),
    want: "Pending: waits for x",
  },
  {
    name: "a failure with the end of an output",
    object: anAction(vdbRefresh, {
      status: {
        phase: "PostRefresh",
        conditions: conditions("Reconciling+ RollingBack: the hook failed; line 1: ERROR\nLINE 1: x"),
      },
    }),
    want: "PostRefresh: the hook failed; line 1: ERROR",
  },
])
  test(`a line of progress: ${name}`, () => equal(labelOf(object).text, want));

test("phases that passed between two looks are told from the steps", () => {
  const startTime = "2026-01-31T12:00:00Z";
  const steps = [
    { name: "a", phase: "PreRefresh", startTime, completionTime: startTime },
    { name: "b", phase: "PreRefresh", startTime, completionTime: startTime },
    { name: "c", phase: "Stopping", startTime },
    { name: "d", phase: "Refreshing" },
  ];
  deepEqual(phasesThrough(anAction(vdbRefresh, { status: { phase: "Stopping", steps } })), ["PreRefresh", "Stopping"]);
});
