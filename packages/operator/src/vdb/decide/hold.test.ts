import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { VdbHold } from "@vdb/api";
import { aVdb } from "../testing.ts";
import { answerTo, type Course, courseOf, isCurrent, isToRun, keepsGateShut } from "./hold.ts";

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
