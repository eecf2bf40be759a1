import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { postgresTask, vdbRefresh, vdbRewind, vdbSnapshot } from "@vdb/api";
import { assertGolden } from "../testing/golden.ts";
import { anAction, aVdb, conditions, now, readyVdb } from "../testing/objects.ts";
import { recorded } from "../testing/world.ts";
import { listTable } from "../verbs/list.ts";
import { ageOf, ageText } from "./age.ts";
import { endOf } from "./end-of-action.ts";
import { nextSteps } from "./next-steps.ts";
import { parentOf } from "./parent.ts";
import { statusPage } from "./status-page.ts";

for (const [milliseconds, text] of [
  [-5000, "0s"],
  [0, "0s"],
  [119_999, "119s"],
  [120_000, "2m"],
  [7_199_999, "119m"],
  [7_200_000, "2h"],
  [172_799_999, "47h"],
  [172_800_000, "2d"],
] as const)
  test(`an age of ${milliseconds} ms is ${text}`, () => equal(ageText(milliseconds), text));

test("what has no moment has no age", () => equal(ageOf(undefined, now), "-"));

for (const [source, want] of [
  [{ type: "dct-source", reference: "delphix-engine:a:b" }, "delphix-engine:a:b"],
  [{ type: "pvc-clone", reference: "staging/orders" }, "claim staging/orders"],
  [{ type: "pvc-clone", reference: "shop/orders" }, "claim orders"],
  [{ type: "pvc-adopt", reference: "orders" }, "adopted claim orders"],
  [{ type: "k8s-snapshot", reference: "monday", namespace: "staging" }, "VolumeSnapshot staging/monday"],
] as const)
  test(`the parent of a ${source.type} is ${want}`, () => equal(parentOf(aVdb({ spec: { source } })), want));

const databases = [
  readyVdb(),
  aVdb({ name: "a-long-name-of-a-database", spec: { source: { type: "pvc-clone", reference: "staging/orders" } } }),
  aVdb({ name: "broken", status: { phase: "Error" } }),
  readyVdb({
    name: "stopped",
    status: { phase: "Stopped", activeAction: { kind: "VDBRefresh", name: "x", namespace: "shop", uid: "x" } },
  }),
];
for (const kind of ["pipe", "terminal"] as const) {
  test(`list on a ${kind}`, () =>
    assertGolden(`list-${kind}`, listTable(recorded(kind), databases, now, { allNamespaces: false, wide: false })));
}
test("list of all namespaces, wide", () =>
  assertGolden("list-wide", listTable(recorded(), databases, now, { allNamespaces: true, wide: true })));

const refreshing = readyVdb({
  status: {
    phase: "Deploying",
    activeAction: { kind: "VDBRefresh", name: "nightly", namespace: "shop", uid: "nightly", hold: "stopped" },
    previous: { id: "0", madeBy: "create", until: "2026-02-01T10:00:00Z" },
    schedules: {
      refresh: {
        of: "0 3 * * * Etc/UTC",
        nextTime: "2026-02-01T03:00:00Z",
        lastTime: "2026-01-30T03:00:00Z",
        lastAction: "orders-refresh-20260130-0300",
        skipped: { time: "2026-01-31T03:00:00Z", reason: "Stopped", message: "the database is stopped" },
      },
      snapshot: { of: "@hourly Etc/UTC" },
    },
    expiry: { time: "2026-02-07T10:00:00Z", action: "Delete" },
    hooks: [
      {
        stage: "post-create",
        name: "mask",
        outcome: "Succeeded",
        startTime: "2026-01-31T10:00:00Z",
        completionTime: "2026-01-31T10:00:03Z",
        exitCode: 0,
      },
      {
        stage: "post-create",
        name: "fill",
        outcome: "Failed",
        startTime: "2026-01-31T10:00:03Z",
        completionTime: "2026-01-31T10:00:04Z",
        exitCode: 3,
      },
    ],
    conditions: conditions(
      "Ready- ActionRunning: VDBRefresh nightly works on it",
      "Reconciling+ ActionRunning: VDBRefresh nightly works on it",
      "Accepted+ Accepted: the operator can carry it out",
      "Deployed- Stopping: PostgreSQL shuts down",
    ),
  },
});
const seen = {
  vdb: refreshing,
  actions: [
    anAction(vdbSnapshot, { name: "before", status: { phase: "Completed" } }),
    anAction(vdbRefresh, { name: "nightly", status: { phase: "Refreshing", startTime: "2026-01-31T11:59:48Z" } }),
    anAction(postgresTask, {
      name: "report",
      created: "2026-01-31T11:59:00Z",
      status: { conditions: conditions("Reconciling+ Queued: waits for VDBRefresh nightly") },
    }),
    anAction(vdbSnapshot, { name: "after", created: "2026-01-31T11:59:59Z", status: { observedGeneration: -1 } }),
  ],
  hidden: ["jane may not list tasks.actions.delphix.com in namespace shop"],
};
for (const kind of ["pipe", "terminal"] as const)
  test(`status of a database under an action on a ${kind}`, () =>
    assertGolden(`status-${kind}`, statusPage(recorded(kind), seen, now, {})));

test("status of a database that needs a person", () => {
  const vdb = aVdb({
    status: {
      phase: "Error",
      lastError: "no such dSource",
      conditions: conditions(
        "Ready- SourceNotFound: no such dSource; its dSources: production",
        "Stalled+ SourceNotFound: no such dSource; its dSources: production",
        "Accepted+ Accepted: the operator can carry it out",
        "SourceResolved- SourceNotFound: no such dSource; its dSources: production",
      ),
    },
  });
  assertGolden("status-error", statusPage(recorded(), { vdb, actions: [], hidden: [] }, now, { namespace: "shop" }));
});

const nothing = { actions: [], hidden: [] };
const whats = (vdb: ReturnType<typeof aVdb>, actions: readonly ReturnType<typeof anAction>[] = []): string[] =>
  nextSteps({ ...nothing, vdb, actions }, now, {}).map(({ what }) => what);
for (const { name, why, got, want } of [
  {
    name: "a new object that nobody has looked at for hours",
    why: "the operator may not run",
    got: () => whats(aVdb({ status: { observedGeneration: -1 } })),
    want: ["no operator", "wait"],
  },
  {
    name: "a new object",
    why: "the operator has to be given time",
    got: () => whats(aVdb({ metadata: { creationTimestamp: "2026-01-31T11:59:50Z" }, status: { observedGeneration: -1 } })),
    want: ["wait"],
  },
  {
    name: "a stopped one",
    why: "there is one thing to do with it",
    got: () => whats(aVdb({ status: { phase: "Stopped" } })),
    want: ["start it"],
  },
  {
    name: "one that goes",
    why: "nothing else can be done",
    got: () => whats(aVdb({ status: { phase: "Terminating" } })),
    want: ["wait until it is gone"],
  },
  {
    name: "one with previous data",
    why: "an undo is possible",
    got: () => whats(readyVdb({ status: { previous: { id: "0", madeBy: "create" } } })),
    want: ["query it", "newer data", "the data before"],
  },
  {
    name: "one whose last action failed",
    why: "whoever asks wants to know first",
    got: () => whats(readyVdb(), [anAction(vdbRefresh, { status: { phase: "Error", lastError: "no" } })]),
    want: ["last action failed", "query it", "newer data"],
  },
  {
    name: "one whose last action succeeded after one that failed",
    why: "the failure is history",
    got: () =>
      whats(readyVdb(), [
        anAction(vdbRefresh, { status: { phase: "Error" } }),
        anAction(vdbRefresh, { status: { phase: "Completed" } }),
      ]),
    want: ["query it", "newer data"],
  },
])
  test(`what to do next: ${name}`, () => deepEqual(got(), want, why));

test("the failure of the last action is one line, however long the end of its output", () => {
  const lastError = "the SQL failed with exit code 3; the end of its output: line 1: ERROR\nLINE 1: SELECT nothing";
  const [first] = nextSteps(
    { ...nothing, vdb: readyVdb(), actions: [anAction(postgresTask, { status: { phase: "Error", lastError } })] },
    now,
    {},
  );
  equal(first?.how, "PostgresTask one: the SQL failed with exit code 3; the end of its output: line 1: ERROR");
});

test("a proposed command has the flags of the command that proposes it", () => {
  const [first] = nextSteps({ ...nothing, vdb: aVdb({ status: { phase: "Stopped" } }) }, now, {
    namespace: "shop",
    as: "system:serviceaccount:a:b",
    context: "it's",
  });
  equal(first?.how, `kubectl vdb start orders -n shop --context 'it'\\''s' --as system:serviceaccount:a:b`);
});

const completed = { phase: "Completed", duration: "4s" };
for (const { name, action, want } of [
  {
    name: "a snapshot tells the way back",
    action: anAction(vdbSnapshot, {
      status: {
        ...completed,
        snapshot: { type: "dct-snapshot", name: "1-APPDATA_SNAPSHOT-7", timestamp: "2026-01-31T12:00:00Z" },
      },
    }),
    want: [
      "VDBSnapshot shop/one has completed in 4s",
      "snapshot 1-APPDATA_SNAPSHOT-7 of 2026-01-31T12:00:00Z",
      "to return to it: kubectl vdb rewind orders --snapshot 1-APPDATA_SNAPSHOT-7 -n shop",
    ],
  },
  {
    name: "a refresh tells how to undo it",
    action: anAction(vdbRefresh, { status: { ...completed, snapshot: { name: "s" } } }),
    want: [
      "VDBRefresh shop/one has completed in 4s",
      "data of snapshot s",
      "to undo it within 24h: kubectl vdb undo orders -n shop",
    ],
  },
  {
    name: "a rewind that keeps nothing tells of no undo",
    action: anAction(vdbRewind, {
      spec: { previousRetention: "0s" },
      status: { ...completed, snapshot: { type: "previous", name: "1a2b3c", timestamp: "2026-01-31T12:00:00Z" } },
    }),
    want: ["VDBRewind shop/one has completed in 4s", "the data of 2026-01-31T12:00:00Z that was there before"],
  },
  {
    name: "a failure tells what became of the old data",
    action: anAction(vdbRefresh, {
      status: {
        phase: "Error",
        lastError: "the hook failed",
        conditions: conditions("RolledBack+ RolledBack: the old data is back"),
      },
    }),
    want: ["VDBRefresh shop/one has failed: the hook failed", "the old data is back"],
  },
])
  test(`the end of an action: ${name}`, () => {
    const { said, advice, exitCode } = endOf(action, { namespace: "shop" });
    deepEqual([said, ...advice], want);
    equal(exitCode, action.status.phase === "Completed" ? 0 : 1);
  });
