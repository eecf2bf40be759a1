import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { PostgresRefresh } from "../actions/refreshes.ts";
import type { Condition } from "../fields/condition.ts";
import type { PostgresVDB } from "../vdb/postgres-vdb.ts";
import { actionLaws } from "./action-laws.ts";
import { commonLaws } from "./common-laws.ts";
import { actionStates, vdbStates } from "./example-states.ts";
import { kstatusOf } from "./kstatus.ts";
import { brokenLaws, type StatusObject } from "./laws.ts";
import { vdbLaws } from "./vdb-laws.ts";

const states = [...vdbStates, ...actionStates];
for (const { name, object, kstatus } of states) {
  test(`${object.kind}, ${name}: sound, and ${kstatus} to kstatus`, () => {
    deepEqual(brokenLaws(object), []);
    deepEqual(brokenLaws(object, object), [], "a second look that changes nothing is sound too");
    equal(kstatusOf(object), kstatus);
  });
}

const state = <T extends { readonly name: string }>(all: readonly T[], name: string): T => {
  const found = all.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no state ${name}`);
  return found;
};
const vdb = (name: string, status: Partial<PostgresVDB["status"]> = {}): PostgresVDB => {
  const { object } = state(vdbStates, name);
  return { ...object, status: { ...object.status, ...status } };
};
const refresh = (name: string, status: Partial<PostgresRefresh["status"]> = {}): PostgresRefresh => {
  const { object } = state(actionStates, name);
  return { ...object, status: { ...object.status, ...status } };
};
const conditionsOf = ({ status }: StatusObject): readonly Condition[] => status.conditions ?? [];
const change = (object: StatusObject, type: string, to: Partial<Condition>): Condition[] =>
  conditionsOf(object).map((condition) => (condition.type === type ? { ...condition, ...to } : condition));
const aCondition = (type: string, status: Condition["status"] = "True"): Condition => ({
  type,
  status,
  reason: "Because",
  message: "as declared",
  lastTransitionTime: "2026-01-31T12:00:00Z",
});

const ready = vdb("ready");
const completed = refresh("completed");
const [stopping = { name: "", phase: "" }] = refresh("stopping the pod").status.steps ?? [];
const broken: { law: number; object: StatusObject; before?: StatusObject; how: string }[] = [
  { law: 1, how: "Ready twice", object: vdb("ready", { conditions: [...conditionsOf(ready), aCondition("Ready")] }) },
  { law: 2, how: "a condition of no table", object: vdb("ready", { conditions: [...conditionsOf(ready), aCondition("Happy")] }) },
  { law: 3, how: "a reason in words", object: vdb("ready", { conditions: change(ready, "Ready", { reason: "all is well" }) }) },
  {
    law: 3,
    how: "True without a message",
    object: vdb("ready", { conditions: change(ready, "Ready", { message: "" }) }),
  },
  {
    law: 3,
    how: "False without a message",
    object: vdb("stopped as declared", { conditions: change(vdb("stopped as declared"), "Deployed", { message: "" }) }),
  },
  { law: 4, how: "a status from the future", object: vdb("ready", { observedGeneration: 2 }) },
  { law: 5, how: "conditions that nobody found", object: vdb("ready", { observedGeneration: -1 }) },
  {
    law: 6,
    how: "working and stuck",
    object: vdb("provisioning", { lastError: "x", conditions: [...conditionsOf(vdb("provisioning")), aCondition("Stalled")] }),
  },
  {
    law: 6,
    how: "Stalled False instead of absent",
    object: vdb("ready", { conditions: [...conditionsOf(ready), aCondition("Stalled", "False")] }),
  },
  { law: 7, how: "stuck without a word", object: vdb("a source that does not exist", { lastError: "" }) },
  {
    law: 8,
    how: "an error that GitOps waits for",
    object: vdb("a source that does not exist", {
      conditions: conditionsOf(vdb("a source that does not exist")).filter(({ type }) => type !== "Stalled"),
    }),
  },
  {
    law: 9,
    how: "a time that moves by itself",
    object: vdb("ready", { conditions: change(ready, "Ready", { lastTransitionTime: "2026-01-31T12:00:01Z" }) }),
    before: ready,
  },
  {
    law: 9,
    how: "a time that goes back",
    object: vdb("ready", { conditions: change(ready, "Ready", { status: "False", lastTransitionTime: "2026-01-31T11:00:00Z" }) }),
    before: ready,
  },
  {
    law: 10,
    how: "the password in an error",
    object: withPassword("correct-horse", vdb("a source that does not exist", { lastError: "cannot log in with correct-horse" })),
  },
  { law: 20, how: "a phase of its own", object: vdb("ready", { phase: "Deploying" }) },
  { law: 21, how: "ready, but not Ready", object: vdb("provisioning", { ready: true }) },
  { law: 22, how: "Ready without a claim", object: vdb("ready", { pvcName: "" }) },
  {
    law: 23,
    how: "stopped and Ready False",
    object: vdb("stopped as declared", {
      conditions: [...conditionsOf(vdb("stopped as declared")), aCondition("Ready", "False")],
    }),
  },
  {
    law: 24,
    how: "Ready with a step undone",
    object: vdb("ready", { conditions: change(ready, "Prepared", { status: "False" }) }),
  },
  { law: 40, how: "a phase of its own", object: refresh("stopping the pod", { phase: "Starting" }) },
  { law: 41, how: "ended, but when", object: withoutCompletion(completed) },
  {
    law: 42,
    how: "succeeded before the end",
    object: refresh("stopping the pod", {
      conditions: [...conditionsOf(refresh("stopping the pod")), aCondition("Succeeded", "Unknown")],
    }),
  },
  {
    law: 42,
    how: "Completed, not Ready",
    object: refresh("completed", { conditions: change(completed, "Ready", { status: "False", message: "x" }) }),
  },
  { law: 43, how: "an end before its start", object: refresh("completed", { completionTime: "2026-01-31T11:00:00Z" }) },
  {
    law: 44,
    how: "an effect before its announcement",
    object: refresh("stopping the pod", { steps: [{ name: "hold-database", phase: "Stopping", effect: "job-1" }] }),
  },
  {
    law: 45,
    how: "completed while a step runs",
    object: refresh("completed", { steps: [{ name: "hold-database", phase: "Stopping", startTime: "2026-01-31T12:00:00Z" }] }),
  },
  { law: 46, how: "a finished action written again", object: refresh("completed", { duration: "13s" }), before: completed },
  {
    law: 47,
    how: "a phase that comes again",
    object: refresh("queued behind another action"),
    before: refresh("stopping the pod"),
  },
  {
    law: 47,
    how: "an outage in the middle that shows as a phase",
    object: refresh("stopping the pod", { phase: "Pending" }),
    before: refresh("stopping the pod"),
  },
  { law: 48, how: "done well, and an error", object: refresh("completed", { lastError: "x" }) },
  {
    law: 49,
    how: "a step that is forgotten",
    object: refresh("stopping the pod", { steps: [] }),
    before: refresh("stopping the pod"),
  },
  {
    law: 49,
    how: "an intent that changes after the act",
    object: refresh("stopping the pod", { steps: [{ ...stopping, intent: "another" }] }),
    before: refresh("stopping the pod"),
  },
  {
    law: 49,
    how: "a step that is done, and then is not",
    object: refresh("stopping the pod"),
    before: refresh("stopping the pod", { steps: [{ ...stopping, completionTime: "2026-01-31T12:00:01Z" }] }),
  },
];
for (const { law, how, object, before } of broken) {
  test(`law ${law} is broken by ${how}`, () => {
    const found = brokenLaws(object, before);
    equal(
      found.some((line) => line.startsWith(`law ${law} (`)),
      true,
      `found: ${found.join("; ")}`,
    );
  });
}

for (const { how, lastTransitionTime, want } of [
  { how: "moved on may belong to a status that nobody saw", lastTransitionTime: "2026-01-31T12:00:01Z", want: [] },
  { how: "went back belongs to none", lastTransitionTime: "2026-01-31T11:00:00Z", want: ["law 9"] },
])
  test(`seen now and then, a time that ${how}`, () => {
    const object = vdb("ready", { conditions: change(ready, "Ready", { lastTransitionTime }) });
    const found = brokenLaws(object, ready, { isNext: false });
    deepEqual(
      found.map((line) => line.slice(0, 5)),
      want,
    );
  });

test("every law has a number of its own, and an example that breaks it", () => {
  const numbers = [...commonLaws, ...vdbLaws, ...actionLaws].map(({ number }) => number);
  deepEqual(numbers, [...new Set(broken.map(({ law }) => law))]);
});

function withoutCompletion(object: PostgresRefresh): PostgresRefresh {
  const { completionTime, ...status } = object.status;
  ok(completionTime !== undefined);
  return { ...object, status };
}

function withPassword(password: string, object: PostgresVDB): PostgresVDB {
  const { passwordSecretRef: _, ...database } = object.spec.database;
  return { ...object, spec: { ...object.spec, database: { ...database, password } } };
}
