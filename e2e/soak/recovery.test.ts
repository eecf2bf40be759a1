import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Way } from "./plan.ts";
import type { SeenPod } from "./pods.ts";
import { fitting, isWell, judgePods, type Struck, summary } from "./recovery.ts";

const aPod = (uid: string, more: Partial<SeenPod> = {}): SeenPod => ({
  uid,
  name: `pod-${uid}`,
  namespace: "pg-operator",
  isLeaving: false,
  isReady: true,
  containerId: `containerd://${uid}`,
  isRunning: true,
  restartCount: 0,
  ...more,
});
const struckBy = (way: Way, pod: SeenPod): Struck => ({ atMs: 0, hitMs: 0, backOffMs: 0, victim: "database-1", way, pod });

const wellness = [
  { why: "a pod that is ready", pods: [aPod("a")], struck: [], want: true },
  { why: "no pod", pods: [], struck: [], want: false },
  { why: "only one that is going", pods: [aPod("a", { isLeaving: true })], struck: [], want: false },
  { why: "two, of which one is going", pods: [aPod("a", { isLeaving: true }), aPod("b")], struck: [], want: true },
  { why: "two at once", pods: [aPod("a"), aPod("b")], struck: [], want: false },
  {
    why: "one that says ready, of the container that was killed",
    pods: [aPod("a")],
    struck: [struckBy("kill", aPod("a"))],
    want: false,
  },
];
for (const { why, pods, struck, want } of wellness)
  test(`a database has ${why}: ${want ? "well" : "not well"}`, () => equal(isWell("database-1", pods, struck), want));

const [first, gone] = [aPod("a"), aPod("a", { isLeaving: true })];
const accounts = [
  { why: "nothing happened", pods: [first], struck: [], want: [] },
  { why: "killed, restarted", pods: [aPod("a", { restartCount: 1 })], struck: [struckBy("kill", first)], want: [] },
  { why: "deleted, replaced", pods: [gone, aPod("b")], struck: [struckBy("delete", first)], want: [] },
  {
    why: "killed, but replaced instead of restarted",
    pods: [gone, aPod("b")],
    struck: [struckBy("kill", first)],
    want: ["database-1 was given 1 new pods for 0 that were deleted"],
  },
  {
    why: "restarted by itself",
    pods: [aPod("a", { restartCount: 2 })],
    struck: [struckBy("kill", first)],
    want: ["pod pod-a was restarted 2 times, and killed 1 times"],
  },
  {
    why: "killed, and deleted before it was restarted",
    pods: [gone, aPod("b")],
    struck: [struckBy("kill", first), struckBy("force", first)],
    want: [],
  },
];
for (const { why, pods, struck, want } of accounts)
  test(`pods and restarts: ${why}`, () => deepEqual(judgePods("database-1", [first], pods, struck), want));

test("a container that was killed twice is not killed again: its pod is deleted", () => {
  const planned = { atMs: 0, victim: "database-1", way: "kill", backOffMs: 0 } as const;
  const kills = [struckBy("kill", first), struckBy("kill", first)];
  const fit = [0, 1, 2].map((times) => fitting(planned, first, kills.slice(0, times)));
  deepEqual(
    fit.map(({ way, backOffMs }) => [way, backOffMs]),
    [
      ["kill", 0],
      ["kill", 10_000],
      ["delete", 0],
    ],
  );
});

test("a summary has median and maximum of each kind", () => {
  const times = [3, 1, 2].map((seconds) => ({ kind: "kill database", seconds }));
  deepEqual(summary(times), ["kill database: 3 times, 2.0 s (median), 3.0 s at most"]);
});
