import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { enter, firstState, transition, type WatchAction, type WatchInput, type WatchState } from "./watch-state.ts";

const gathering: WatchState = { kind: "gathering", failures: 0 };
const watching: WatchState = { kind: "watching", resourceVersion: "7", failures: 0, canGather: true };
const failed = (kind: "unavailable" | "gone" | "invalid" | "tooManyRequests" | "timeout", more: object = {}): WatchInput => ({
  kind: "failed",
  error: kind === "tooManyRequests" ? { kind, retryAfterSeconds: 2 } : { kind },
  lastedMs: 10,
  jitter: 1,
  ...more,
});
const paused = (next: Exclude<WatchState, { kind: "pausing" }>): WatchState => ({ kind: "pausing", next });

const rows: readonly {
  name: string;
  why: string;
  state: WatchState;
  input: WatchInput;
  want: { state: WatchState; action: WatchAction };
}[] = [
  {
    name: "all initial events have come",
    why: "only then is what was gathered a whole list",
    state: gathering,
    input: { kind: "bookmark", resourceVersion: "9", initialEventsEnd: true },
    want: { state: { ...watching, resourceVersion: "9" }, action: { kind: "adopt", resourceVersion: "9" } },
  },
  {
    name: "a bookmark in the middle of the initial events",
    why: "it says nothing about completeness",
    state: gathering,
    input: { kind: "bookmark", resourceVersion: "9", initialEventsEnd: false },
    want: { state: gathering, action: { kind: "read" } },
  },
  {
    name: "the server does not know watches that begin with all objects",
    why: "older servers must be listed, at once and without back-off",
    state: gathering,
    input: failed("invalid"),
    want: { state: { kind: "listing", failures: 0 }, action: { kind: "list" } },
  },
  {
    name: "an event",
    why: "a resume goes on after it",
    state: watching,
    input: { kind: "event", resourceVersion: "8" },
    want: { state: { ...watching, resourceVersion: "8" }, action: { kind: "read" } },
  },
  {
    name: "the server ends the watch after minutes",
    why: "that is its habit, not a failure",
    state: watching,
    input: { kind: "ended", lastedMs: 300_000, jitter: 1 },
    want: { state: watching, action: { kind: "watch", resourceVersion: "7" } },
  },
  {
    name: "a connection is reset",
    why: "nothing was lost: the watch is resumed, never listed anew",
    state: watching,
    input: failed("unavailable"),
    want: { state: paused({ ...watching, failures: 1 }), action: { kind: "pause", ms: 100 } },
  },
  {
    name: "410 after a healthy time",
    why: "one relist, at once",
    state: watching,
    input: failed("gone"),
    want: { state: { kind: "gathering", failures: 1 }, action: { kind: "gather" } },
  },
  {
    name: "410 from a server that has to be listed",
    why: "it was learned before that it cannot stream",
    state: { ...watching, canGather: false },
    input: failed("gone"),
    want: { state: { kind: "listing", failures: 1 }, action: { kind: "list" } },
  },
  {
    name: "410 right after a 410",
    why: "relisting in a loop would bring a large server down",
    state: { kind: "gathering", failures: 1 },
    input: failed("gone"),
    want: { state: paused({ kind: "gathering", failures: 2 }), action: { kind: "pause", ms: 200 } },
  },
  {
    name: "429 with a delay",
    why: "the server knows when it will have room",
    state: watching,
    input: failed("tooManyRequests"),
    want: { state: paused({ ...watching, failures: 1 }), action: { kind: "pause", ms: 2000 } },
  },
  {
    name: "a version from the server's future, again and again",
    why: "a server restored from a backup would refuse it for ever",
    state: { ...watching, failures: 3 },
    input: failed("timeout"),
    want: { state: paused({ kind: "gathering", failures: 4 }), action: { kind: "pause", ms: 800 } },
  },
  {
    name: "the pause is over",
    why: "the same is tried again",
    state: paused({ ...watching, failures: 2 }),
    input: { kind: "paused" },
    want: { state: { ...watching, failures: 2 }, action: { kind: "watch", resourceVersion: "7" } },
  },
];
for (const { name, why, state, input, want } of rows)
  test(`watch protocol: ${name}`, () => deepEqual(transition(state, input), want, why));

test("watch protocol: a failed connection never loses the version, and never waits longer than 4 s", () => {
  const input = fc.record({ lastedMs: fc.nat(20_000), jitter: fc.double({ min: 0, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(input, { maxLength: 60, size: "max" }), (failures) => {
      let state: WatchState = watching;
      for (const { lastedMs, jitter } of failures) {
        const step = transition(state, { kind: "failed", error: { kind: "unavailable" }, lastedMs, jitter });
        ok(step.action.kind === "pause" && step.action.ms <= 4000 && step.action.ms >= 50);
        const resumed = enter(step.state);
        deepEqual(resumed.action, { kind: "watch", resourceVersion: "7" });
        state = resumed.state;
      }
    }),
  );
});

test("watch protocol: whatever happens, a version is watched from only after everything up to it was adopted", () => {
  const error = fc.constantFrom("unavailable", "gone", "invalid", "tooManyRequests", "timeout", "unknown" as const);
  const inputs = fc.oneof(
    fc.record({
      kind: fc.constant("failed" as const),
      error: fc.record({ kind: error }),
      lastedMs: fc.nat(10_000),
      jitter: fc.constant(0.5),
    }),
    fc.record({ kind: fc.constant("ended" as const), lastedMs: fc.nat(5000), jitter: fc.constant(0.5) }),
    fc.record({ kind: fc.constant("event" as const), resourceVersion: fc.nat(1000).map(String) }),
    fc.record({
      kind: fc.constant("bookmark" as const),
      resourceVersion: fc.nat(1000).map(String),
      initialEventsEnd: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(fc.array(inputs, { maxLength: 100, size: "max" }), (all) => {
      let { state, action } = enter(firstState);
      let known: string | undefined; // up to where everything is in the store
      const step = (input: WatchInput): void => {
        ({ state, action } = transition(state, input));
        if (action.kind === "adopt") known = action.resourceVersion;
        if (action.kind === "watch") deepEqual(action.resourceVersion, known);
      };
      for (const input of all) {
        if (action.kind === "pause") step({ kind: "paused" });
        if (action.kind === "list") {
          known = "5";
          step({ kind: "listed", resourceVersion: "5" });
        }
        if (state.kind === "watching" && (input.kind === "event" || input.kind === "bookmark")) known = input.resourceVersion;
        step(input);
      }
    }),
  );
});
