import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { brokenLaws, type VdbHold } from "@vdb/api";
import { aVdb } from "../testing.ts";
import { answerTo, type Course, courseOf, heldStatus, isCurrent, isToRun, keepsGateShut } from "./hold.ts";

const action = { kind: "PostgresRefresh", name: "r", namespace: "shop", uid: "u" };
const under = (hold?: VdbHold) => aVdb({ status: { activeAction: { ...action, ...(hold === undefined ? {} : { hold }) } } });

const rows: {
  readonly name: string;
  readonly vdb: ReturnType<typeof aVdb>;
  readonly course: Course;
  readonly shut: boolean;
  /** Whether it runs: enabled; disabled and in service; disabled and down; disabled and running on data that was never opened. */
  readonly runs: readonly [boolean, boolean, boolean, boolean];
  readonly why: string;
}[] = [
  {
    name: "no action",
    vdb: aVdb({}),
    course: "asDeclared",
    shut: false,
    runs: [true, false, false, false],
    why: "the manifest alone counts",
  },
  {
    name: "an action without a hold",
    vdb: under(),
    course: "asItRuns",
    shut: false,
    runs: [true, true, false, false],
    why: "enabled: false waits for the turn's end",
  },
  {
    name: "hold none",
    vdb: under("none"),
    course: "asItRuns",
    shut: false,
    runs: [true, true, false, false],
    why: "past the point of no return the gate opens, but not of one that is disabled and was only proven",
  },
  {
    name: "hold stopped",
    vdb: under("stopped"),
    course: "stopped",
    shut: true,
    runs: [false, false, false, false],
    why: "its data is replaced",
  },
  {
    name: "hold beforeHooks",
    vdb: under("beforeHooks"),
    course: "beforeHooks",
    shut: true,
    runs: [true, true, true, true],
    why: "new data is proven, enabled or not",
  },
  {
    name: "hold beforeOpen",
    vdb: under("beforeOpen"),
    course: "beforeOpen",
    shut: true,
    runs: [true, true, true, true],
    why: "the same, with its hooks",
  },
];
for (const { name, vdb, course, shut, runs, why } of rows)
  test(`hold: ${name}`, () => {
    equal(courseOf(vdb), course, why);
    equal(keepsGateShut(course), shut, why);
    const states = [
      { enabled: true, runs: true, wasOpened: true },
      { enabled: false, runs: true, wasOpened: true },
      { enabled: false, runs: false, wasOpened: true },
      { enabled: false, runs: true, wasOpened: false },
    ];
    deepEqual(
      states.map((state) => isToRun(course, state)),
      runs,
      why,
    );
  });

test("the answer names the action, the hold and the data, and why it cannot get there", () => {
  deepEqual(answerTo(under("stopped"), { contentId: "c", trouble: undefined }), { uid: "u", hold: "stopped", contentId: "c" });
  const trouble = { reason: "NotADatabase", message: "no database" };
  deepEqual(answerTo(under("beforeHooks"), { contentId: "c", trouble }), {
    uid: "u",
    hold: "beforeHooks",
    contentId: "c",
    ...trouble,
  });
  equal(answerTo(under("none"), { contentId: "c", trouble }), undefined);
  equal(answerTo(aVdb({}), { contentId: "c", trouble }), undefined);
});

test("an answer counts for its action, hold and data alone", () => {
  const held = { uid: "u", hold: "stopped", contentId: "c" } as const;
  equal(isCurrent(held, under("stopped"), "c"), true);
  for (const [vdb, content] of [
    [under("beforeHooks"), "c"],
    [under("stopped"), "d"],
    [aVdb({}), "c"],
  ] as const)
    equal(isCurrent(held, vdb, content), false);
  const passed = answerTo(under("beforeOpen"), { contentId: "c", trouble: undefined, passed: "beforeHooks" });
  deepEqual(passed, { uid: "u", hold: "beforeHooks", contentId: "c" });
  equal(isCurrent(passed, under("beforeOpen"), "c"), true, "it has come by there on its way");
  equal(isCurrent(passed, under("stopped"), "c"), false);
});

test("heldStatus: a database that is held is not Ready from that write on", () => {
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1, message: "as declared" };
  const types = ["Ready", "Provisioned", "Configured", "Deployed", "Prepared", "HooksSucceeded"];
  const conditions = types.map((type) => ({ type, status: "True", reason: "Any", ...at }));
  const vdb = aVdb({ status: { activeAction: action, conditions, ready: true, phase: "Ready", observedGeneration: 1 } });
  const stopped = heldStatus(vdb, "stopped", Date.parse("2026-01-01T00:00:05Z"));
  deepEqual(
    stopped.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [
      ["Ready", "False", "ActionRunning"],
      ["Reconciling", "True", "ActionRunning"],
      ["Provisioned", "True", "Any"],
      ["Configured", "True", "Any"],
      ["HooksSucceeded", "True", "Any"],
    ],
  );
  deepEqual([stopped.phase, stopped.ready], ["Deploying", false]);
  deepEqual(brokenLaws({ ...vdb, status: { ...vdb.status, ...stopped } }, vdb, { isNext: false }), []);
  const up = heldStatus(vdb, "beforeHooks", 0);
  deepEqual(up.conditions?.length, 7, "its server runs on");
  deepEqual(heldStatus(vdb, "none", 0), {}, "it opens");
  const down = { ...vdb, status: { ...vdb.status, conditions: stopped.conditions ?? [] } };
  deepEqual(heldStatus(down, "stopped", 0), {}, "it says so already");
});
