import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { timestamp } from "kube-runtime";
import { aVdb, now } from "../testing/objects.ts";
import { extended } from "./extend.ts";

/** Now is 12:00, the creation was at 10:00. */
for (const { why, expiry, status = {}, want } of [
  { why: "it ends later by that much", expiry: { after: "4h", action: "Stop" }, want: ["5h30m", "2026-01-31T15:30:00Z"] },
  { why: "from now, where it has passed", expiry: { after: "1h", action: "Delete" }, want: ["3h30m", "2026-01-31T13:30:00Z"] },
  {
    why: "a moment stays a moment",
    expiry: { at: "2026-01-31T14:00:00+01:00", action: "Stop" },
    want: ["2026-01-31T14:30:00Z", "2026-01-31T14:30:00Z"],
  },
  {
    why: "after a refresh",
    expiry: { after: "90m", from: "LastRefresh", action: "Stop" },
    status: { content: { id: "c", madeBy: "refresh" as const, openedTime: "2026-01-31T11:00:00Z" } },
    want: ["3h", "2026-01-31T14:00:00Z"],
  },
])
  test(`extend by 1h30m: ${why}`, () => {
    const found = extended(aVdb({ spec: { expiry }, status }), 5400, now);
    deepEqual(
      [found?.expiry.after ?? found?.expiry.at, timestamp(found?.timeMs ?? 0), found?.expiry.action],
      [...want, expiry.action],
    );
  });

test("without an expiry there is nothing to extend", () => equal(extended(aVdb(), 5400, now), undefined));
