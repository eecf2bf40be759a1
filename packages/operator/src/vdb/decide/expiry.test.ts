import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { aVdb } from "../testing.ts";
import { expiryOf } from "./expiry.ts";

const [hour, minute] = [3_600_000, 60_000];
/** The creation of aVdb. */
const created = Date.parse("2026-01-01T00:00:00Z");
const at = (ms: number): string => new Date(ms).toISOString();
const noticeMs = hour;
const stop = { action: "Stop", after: "8h" };

/** Times in hours after the creation. */
const rows: readonly {
  name: string;
  why: string;
  expiry?: object;
  status?: object;
  now: number;
  want: readonly [string, ...number[]];
}[] = [
  { name: "none", why: "databases stay", now: 9999, want: ["never"] },
  { name: "far", why: "it is looked at when it is to be announced", expiry: stop, now: 1, want: ["later", 6] },
  { name: "an hour before", why: "people have time to renew it", expiry: stop, now: 7, want: ["announced", 1] },
  {
    name: "its time, announced",
    why: "it was told of long enough before",
    expiry: stop,
    status: { time: at(created + 8 * hour), announcedTime: at(created + 7 * hour) },
    now: 8,
    want: ["due"],
  },
  {
    name: "an operator that was away for a day",
    why: "nothing is stopped or deleted without a word",
    expiry: stop,
    status: { time: at(created + 8 * hour) },
    now: 32,
    want: ["announced", 1 / 12],
  },
  {
    name: "announced for another moment",
    why: "that was before an edit",
    expiry: { action: "Delete", at: at(created + 9 * hour) },
    status: { time: at(created + 20 * hour), announcedTime: at(created) },
    now: 9,
    want: ["announced", 1 / 12],
  },
  {
    name: "renewed after its stop",
    why: "it starts again",
    expiry: { action: "Stop", after: "24h" },
    status: { time: at(created + 8 * hour), announcedTime: at(created), stoppedTime: at(created + 8 * hour) },
    now: 9,
    want: ["later", 14],
  },
  {
    name: "stopped, and the clock is set back a little",
    why: "it stays stopped until an edit",
    expiry: stop,
    status: { time: at(created + 8 * hour), announcedTime: at(created), stoppedTime: at(created + 8 * hour) },
    now: 7.9,
    want: ["due"],
  },
  {
    name: "announced as a stop, and now a deletion",
    why: "nobody was told of that",
    expiry: { action: "Delete", after: "8h" },
    status: { time: at(created + 8 * hour), announcedTime: at(created + 7 * hour) },
    now: 8,
    want: ["announced", 1 / 12],
  },
  {
    name: "stopped, and renewed for less than the notice",
    why: "it starts again",
    expiry: { action: "Stop", after: "9h" },
    status: { time: at(created + 8 * hour), announcedTime: at(created), stoppedTime: at(created + 8 * hour) },
    now: 8.5,
    want: ["announced", 0.5],
  },
  {
    name: "from the last refresh",
    why: "a refresh renews it",
    expiry: { action: "Stop", after: "8h", from: "LastRefresh" },
    now: 9,
    want: ["later", 4],
  },
];
for (const { name, why, expiry, status, now, want } of rows)
  test(`expiry: ${name}`, () => {
    const content = { id: "c", madeBy: "refresh", openedTime: at(created + 6 * hour) };
    const known = status === undefined ? undefined : { action: "Stop", ...status };
    const vdb = aVdb({ spec: { expiry }, status: { content, expiry: known } });
    const found = expiryOf(vdb, { nowMs: created + now * hour, noticeMs });
    deepEqual(
      [found.kind, ...("seconds" in found ? [Math.round(found.seconds)] : [])],
      [want[0], ...want.slice(1).map((n) => Math.round(Number(n) * 3600))],
      why,
    );
  });

test("whatever the clock does, nothing happens that was not announced for that moment at least five minutes before by the same clock", () => {
  const moves = fc.array(fc.record({ jumpMinutes: fc.integer({ min: -3000, max: 3000 }), isEdit: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(moves, fc.boolean(), (all, deletes) => {
      const action = deletes ? "Delete" : "Stop";
      const state = { nowMs: created, after: 8 };
      let status: object | undefined;
      let told: { readonly time: number; readonly atMs: number } | undefined;
      for (const { jumpMinutes, isEdit } of all) {
        state.nowMs += jumpMinutes * minute;
        if (isEdit) state.after += 1;
        const vdb = aVdb({ spec: { expiry: { action, after: `${state.after}h` } }, status: { expiry: status } });
        const found = expiryOf(vdb, { nowMs: state.nowMs, noticeMs });
        if (found.kind === "later" || found.kind === "never") {
          status = found.kind === "later" ? { time: at(found.timeMs), action } : undefined;
          told = undefined;
        } else if (found.kind === "announced") {
          const known = told?.time === found.timeMs ? told : { time: found.timeMs, atMs: state.nowMs };
          told = known;
          status = { time: at(found.timeMs), action, announcedTime: at(known.atMs) };
        } else {
          ok(told?.time === found.timeMs, "it was announced for this moment");
          ok(state.nowMs >= found.timeMs && state.nowMs - told.atMs >= 5 * minute, "long enough before");
          return;
        }
      }
    }),
  );
});

test("without an announcement nothing is ever due", () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (hours) => {
      const vdb = aVdb({ spec: { expiry: { action: "Delete", after: "10m" } } });
      equal(expiryOf(vdb, { nowMs: created + hours * hour, noticeMs }).kind === "due", false);
    }),
  ));
