import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Condition } from "../objects/object.ts";
import { conditionsOf, type Findings } from "./conditions-of.ts";
import { after, done, type Outcome, terminal, waiting } from "./outcome.ts";
import type { StepResult } from "./run-steps.ts";

const table = [
  { type: "Provisioned", reason: "Provisioned", message: "the volume is bound" },
  { type: "Deployed", reason: "Deployed", message: "the pod answers" },
];
const planned = [{ condition: "Provisioned" }, { condition: "Deployed" }];
const ran = (...outcomes: readonly Outcome[]): readonly StepResult[] =>
  outcomes.map((outcome, at) => ({ step: { name: `step-${at}`, condition: planned[at]?.condition ?? "" }, outcome }));
const old = (type: string, status: Condition["status"], reason = "Old"): Condition => ({
  type,
  status,
  reason,
  message: "from before",
  lastTransitionTime: "then",
  observedGeneration: 1,
});

const rows: readonly { name: string; why: string; given: Partial<Findings>; want: readonly string[] }[] = [
  {
    name: "all done",
    why: "the table's words are used, and neither Reconciling nor Stalled is there",
    given: { results: ran(done(), done()), outcome: done() },
    want: ["Provisioned True Provisioned", "Deployed True Deployed"],
  },
  {
    name: "a step with words of its own",
    why: "they say more than the table",
    given: { results: ran(done({ reason: "Adopted" }), done()), outcome: done() },
    want: ["Provisioned True Adopted", "Deployed True Deployed"],
  },
  {
    name: "waiting at the first step of a new object",
    why: "nothing is known about what comes later",
    given: { results: ran(waiting("NotBound", "…")), outcome: waiting("NotBound", "…") },
    want: ["Reconciling True NotBound", "Provisioned False NotBound", "Deployed Unknown NotReached"],
  },
  {
    name: "waiting at the first step of an object that was deployed",
    why: "what was found out stays, with the generation it was found out about",
    given: { results: ran(after(5, "Busy", "…")), outcome: after(5, "Busy", "…"), before: [old("Deployed", "True")] },
    want: ["Reconciling True Busy", "Provisioned False Busy", "Deployed True Old"],
  },
  {
    name: "only a person can help",
    why: "Stalled, and not Reconciling: waiting would be in vain",
    given: {
      results: ran(done(), terminal("BadImage", "…")),
      outcome: terminal("BadImage", "…"),
      before: [old("Reconciling", "True")],
    },
    want: ["Stalled True BadImage", "Provisioned True Provisioned", "Deployed False BadImage"],
  },
  {
    name: "a step that this object does not need",
    why: "a condition that nobody sets must not stand there for ever",
    given: { results: ran(done()), outcome: done(), planned: [{ condition: "Provisioned" }], before: [old("Deployed", "True")] },
    want: ["Provisioned True Provisioned"],
  },
  {
    name: "a condition that the plan keeps",
    why: "what was found out about a stopped thing is still so, and nobody looks at it again",
    given: {
      planned: [],
      keep: ["Provisioned", "Deployed"],
      results: [],
      outcome: done(),
      before: [old("Provisioned", "True")],
    },
    want: ["Provisioned True Old"],
  },
  {
    name: "somebody else's condition",
    why: "it is not ours to remove",
    given: { results: ran(done(), done()), outcome: done(), before: [old("example.dev/Audited", "True")] },
    want: ["Provisioned True Provisioned", "Deployed True Deployed", "example.dev/Audited True Old"],
  },
  {
    name: "a warning that no step sets any more",
    why: "a whole run without it means it is no longer so",
    given: {
      results: ran(done(), done()),
      outcome: done(),
      before: [old("Warning", "True")],
      extra: { declared: ["Warning"], set: [] },
    },
    want: ["Provisioned True Provisioned", "Deployed True Deployed"],
  },
  {
    name: "a warning, in a run that ended early",
    why: "the step that would set it was not reached",
    given: {
      results: ran(waiting("W", "…")),
      outcome: waiting("W", "…"),
      before: [old("Warning", "True")],
      extra: { declared: ["Warning"], set: [] },
    },
    want: ["Reconciling True W", "Provisioned False W", "Deployed Unknown NotReached", "Warning True Old"],
  },
  {
    name: "deleting",
    why: "clean-up says nothing about what was built",
    given: { results: [], outcome: waiting("PodGone", "…"), before: [old("Deployed", "True")], deleting: true },
    want: ["Reconciling True PodGone", "Deployed True Old"],
  },
];
for (const { name, why, given, want } of rows) {
  test(`conditions: ${name}`, () => {
    const findings: Findings = {
      before: [],
      table,
      planned,
      results: [],
      outcome: done(),
      deleting: false,
      summary: [],
      extra: { declared: [], set: [] },
      ...given,
    };
    deepEqual(
      conditionsOf(findings).map(({ type, status, reason }) => `${type} ${status} ${reason}`),
      want,
      why,
    );
  });
}

test("conditions: of two steps that share one, it is True only when both are done", () => {
  const both = [{ condition: "Provisioned" }, { condition: "Provisioned" }];
  const step = { name: "s", condition: "Provisioned" };
  const base = {
    before: [],
    table: table.slice(0, 1),
    planned: both,
    deleting: false,
    summary: [],
    extra: { declared: [], set: [] },
  };
  const half = conditionsOf({
    ...base,
    results: [
      { step, outcome: done() },
      { step, outcome: waiting("W", "…") },
    ],
    outcome: waiting("W", "…"),
  });
  deepEqual(
    half.map(({ type, status }) => [type, status]),
    [
      ["Reconciling", "True"],
      ["Provisioned", "False"],
    ],
  );
});
