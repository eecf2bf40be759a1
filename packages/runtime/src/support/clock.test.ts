import { equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";

const days = 24 * 3_600_000;

test("a sleep or a deadline of more than 24 days does not end at once", async () => {
  const stop = new AbortController();
  const slept = systemClock.sleep(30 * days, stop.signal).then(
    () => "woke",
    () => "stopped",
  );
  const worked = withDeadline(stop.signal, 30 * days, "work", async (signal) => {
    await delay(30);
    return signal.aborted;
  });
  equal(await worked, false);
  stop.abort(new Error("enough"));
  equal(await slept, "stopped");
});

test("a sleep of no time still hears an abort", async () => {
  const stopped = AbortSignal.abort(new Error("enough"));
  await rejects(systemClock.sleep(0, stopped), /enough/u);
});
