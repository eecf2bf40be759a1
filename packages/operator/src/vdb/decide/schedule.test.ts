import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isFullTier, testSeed } from "kube-runtime/testing";
import { timesOf } from "../schedule-times.ts";
import { beyondHistory, type Due, dueOf, longestWaitMs, type Situation, scheduledName, skipped, type Times } from "./schedule.ts";

const [second, minute, hour] = [1000, 60_000, 3_600_000];
const at = (text: string): number => Date.parse(`2026-03-10T${text}Z`);

function times(schedule: string, timeZone = "Etc/UTC"): Times {
  const found = timesOf({ schedule, timeZone });
  if ("refused" in found) throw new Error(found.refused);
  return found;
}

const hourly = times("0 * * * *");
const usual: Situation = {
  nowMs: at("12:30:00"),
  doneMs: at("12:00:00"),
  suspend: false,
  deadlineMs: undefined,
  isAtWork: false,
  unfit: undefined,
};
const rows: readonly {
  name: string;
  why: string;
  given: Partial<Situation>;
  want: readonly [Due["kind"], ...(string | undefined)[]];
}[] = [
  { name: "between two times", why: "nothing is due", given: {}, want: ["nothing", "12:00", "13:00"] },
  { name: "at its time", why: "its moment belongs to it", given: { nowMs: at("13:00:00") }, want: ["begin", "13:00", "14:00"] },
  { name: "a new schedule", why: "only times to come count", given: { doneMs: undefined }, want: ["nothing", "12:30", "13:00"] },
  {
    name: "three were missed",
    why: "the last alone is made up for",
    given: { nowMs: at("15:10:00") },
    want: ["begin", "15:00", "16:00"],
  },
  {
    name: "missed by more than its deadline",
    why: "its user said so",
    given: { nowMs: at("13:10:01"), deadlineMs: 10 * minute },
    want: ["skip", "13:00", "14:00"],
  },
  {
    name: "within its deadline",
    why: "to the second",
    given: { nowMs: at("13:10:00"), deadlineMs: 10 * minute },
    want: ["begin", "13:00", "14:00"],
  },
  {
    name: "its last action is at work",
    why: "never two at once; it comes after",
    given: { nowMs: at("13:00:00"), isAtWork: true },
    want: ["waits", "12:00", "14:00"],
  },
  {
    name: "suspended",
    why: "nothing begins, and the time counts as missed",
    given: { nowMs: at("13:00:00"), suspend: true },
    want: ["nothing", "12:00", undefined],
  },
  {
    name: "a stopped database",
    why: "the time passes",
    given: { nowMs: at("13:00:00"), unfit: skipped("Stopped", "") },
    want: ["skip", "13:00", "14:00"],
  },
  {
    name: "a clock set back",
    why: "what was done is done",
    given: { nowMs: at("11:00:00") },
    want: ["nothing", "12:00", "13:00"],
  },
  {
    name: "a clock that was days ahead",
    why: "to wait for it would be worse than a time that comes twice",
    given: { doneMs: at("12:00:00") + 1000 * 24 * hour },
    want: ["nothing", "12:30", "13:00"],
  },
];
const clockOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(11, 16);
for (const { name, why, given, want } of rows)
  test(`schedule: ${name}`, () => {
    const due = dueOf(hourly, { ...usual, ...given });
    deepEqual([due.kind, clockOf(due.doneMs), clockOf(due.nextMs)], want, why);
  });

test("a name is its time's, sorts by it, and is in UTC: an hour that comes twice has two", () => {
  const berlin = times("0 2 * * *", "Europe/Berlin");
  const first = berlin.next(Date.parse("2026-10-24T12:00:00Z")) ?? 0;
  equal(scheduledName("orders", "refresh", first), "orders-refresh-20261025-0000");
  equal(scheduledName("orders", "refresh", berlin.next(first) ?? 0), "orders-refresh-20261026-0100");
});

test("a local time that does not exist runs when the clock has gone forward", () => {
  const berlin = times("30 2 * * *", "Europe/Berlin");
  equal(new Date(berlin.next(Date.parse("2026-03-28T12:00:00Z")) ?? 0).toISOString(), "2026-03-29T01:00:00.000Z");
});

for (const [schedule, timeZone, says] of [
  ["61 * * * *", "Etc/UTC", /schedule 61 \* \* \* \* cannot be read: Invalid value for minute: 61/u],
  ["0 3 30 2 *", "Etc/UTC", /never comes/u],
  ["0 3 * * *", "Mars/Olympus", /timeZone Mars\/Olympus is not known/u],
] as const)
  test(`refused in words: ${schedule} in ${timeZone}`, () => {
    const found = timesOf({ schedule, timeZone });
    ok("refused" in found && says.test(found.refused), JSON.stringify(found));
  });

/** What may happen to a schedule. */
type Event =
  | { readonly kind: "pass" | "jump"; readonly ms: number }
  | { readonly kind: "edit"; readonly schedule: string; readonly timeZone: string }
  | { readonly kind: "suspend" | "stop" | "end" | "restart" | "crash" };
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: second, max: 30 * hour }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("jump" as const), ms: fc.integer({ min: -20 * hour, max: 20 * hour }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      schedule: fc.constantFrom("*/7 * * * *", "0 * * * *", "30 2 * * *", "15 9-17 * * 1-5", "0 0 1 * *"),
      timeZone: fc.constantFrom("Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "suspend" as const,
        "stop" as const,
        "end" as const,
        "end" as const,
        "restart" as const,
        "crash" as const,
      ),
    }),
  },
);

interface Made {
  readonly timeMs: number;
  hasEnded: boolean;
}

/** A schedule and what the API server keeps of it; time is virtual. */
function simulate(story: readonly Event[], deadlineMs: number | undefined, history: number): number {
  const state = {
    nowMs: at("00:00:00"),
    schedule: "0 * * * *",
    timeZone: "Etc/UTC",
    of: "",
    doneMs: undefined as number | undefined,
    suspend: false,
    stopped: false,
    dies: false,
  };
  const objects = new Map<string, Made>();
  const everMade = new Set<string>();
  const look = (): void => {
    const of = `${state.schedule} ${state.timeZone}`;
    const known = state.doneMs === undefined || state.of === of ? state.doneMs : Math.max(state.doneMs, state.nowMs);
    const now = times(state.schedule, state.timeZone);
    const isAtWork = [...objects.values()].some(({ hasEnded }) => !hasEnded);
    const unfit = state.stopped ? skipped("Stopped", "") : undefined;
    const due = dueOf(now, { nowMs: state.nowMs, doneMs: known, suspend: state.suspend, deadlineMs, isAtWork, unfit });
    if (due.kind === "begin") {
      const name = scheduledName("orders", "refresh", due.timeMs);
      if (!objects.has(name)) {
        ok(!everMade.has(name), `${name} is made a second time`);
        ok(!isAtWork, "two at once");
        ok(!state.suspend && !state.stopped, "begun while nothing may");
        ok(
          due.timeMs <= state.nowMs && (deadlineMs === undefined || state.nowMs - due.timeMs <= deadlineMs),
          "its deadline forbids it",
        );
        equal(now.last(due.timeMs), due.timeMs, "it is one of its times");
        objects.set(name, { timeMs: due.timeMs, hasEnded: false });
        everMade.add(name);
      }
    }
    if (state.dies)
      state.dies = false; // after the action is made, before the status says so
    else Object.assign(state, { doneMs: due.doneMs, of });
    const ended = [...objects.values()].filter(({ hasEnded }) => hasEnded);
    for (const { timeMs } of beyondHistory(ended, history, state.nowMs))
      objects.delete(scheduledName("orders", "refresh", timeMs));
  };
  let furthestMs = state.nowMs;
  look();
  for (const event of story) {
    // Behind what it has shown by less than a day: see longestWaitMs.
    if (event.kind === "pass" || event.kind === "jump")
      state.nowMs = Math.max(state.nowMs + event.ms, furthestMs - longestWaitMs);
    furthestMs = Math.max(furthestMs, state.nowMs);
    if (event.kind === "edit") Object.assign(state, { schedule: event.schedule, timeZone: event.timeZone });
    if (event.kind === "suspend") state.suspend = !state.suspend;
    if (event.kind === "stop") state.stopped = !state.stopped;
    if (event.kind === "end") for (const made of objects.values()) made.hasEnded = true;
    if (event.kind === "crash") state.dies = true;
    look();
    look(); // a second look finds nothing else to do
  }
  return everMade.size;
}

test(`whatever happens, there are never two of one time, never two at once, and none that its deadline forbids (seed ${testSeed})`, () => {
  let made = 0;
  const deadline = fc.option(
    fc.integer({ min: 10, max: 7200 }).map((seconds) => seconds * second),
    { nil: undefined },
  );
  fc.assert(
    fc.property(
      fc.array(events, { minLength: 15, maxLength: 40 }),
      deadline,
      fc.integer({ min: 1, max: 3 }),
      (story, deadlineMs, history) => {
        made += simulate(story, deadlineMs, history);
      },
    ),
    { numRuns: isFullTier ? 5000 : 150, seed: testSeed },
  );
  ok(made > 100, `${made} actions were made`);
});

test("without faults an hourly schedule begins one action an hour", () => {
  const inOneHour = [{ kind: "pass", ms: hour }, { kind: "end" }] as const;
  equal(simulate(Array.from({ length: 48 }, () => inOneHour).flat(), 60_000, 3), 48);
});
