import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createTokenBucket } from "./token-bucket.ts";

test("in any window never more pass than the burst and the rate allow", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.nat(500), { maxLength: 40, size: "max" }),
      async (rate, burst, gaps) => {
        let now = 0;
        const bucket = createTokenBucket(rate, burst, { now: () => now, monotonic: () => now, sleep: async () => undefined });
        const passedAt: number[] = [];
        for (const gap of gaps) {
          now += gap;
          passedAt.push(now + bucket.reserveMs());
        }
        for (const [from, start] of passedAt.entries()) {
          for (const [to, end] of passedAt.entries())
            if (to >= from) ok(to - from + 1 <= burst + ((end - start) / 1000) * rate + 1e-6);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("who waits is served in order, and a wait ends with its signal", async () => {
  const clock = createVirtualClock();
  const bucket = createTokenBucket(1, 1, clock);
  const served: number[] = [];
  const gone = new AbortController();
  await bucket.take(new AbortController().signal);
  const waits = [1, 2].map((at) => bucket.take(new AbortController().signal).then(() => served.push(at)));
  const left = bucket.take(gone.signal).catch(() => served.push(-1));
  gone.abort(new Error("gone"));
  await left;
  await clock.advance(2000);
  await Promise.all(waits);
  deepEqual(served, [-1, 1, 2]);
  equal(bucket.tryTake(), false);
});

test("who leaves gives the token back: those who come later do not wait for it", async (t) => {
  const clock = createVirtualClock();
  const bucket = createTokenBucket(1, 1, clock);
  await bucket.take(t.signal);
  const gone = new AbortController();
  const left = Array.from({ length: 10 }, () => bucket.take(gone.signal).catch(() => undefined));
  gone.abort(new Error("gone"));
  await Promise.all(left);
  equal(Math.round(bucket.reserveMs()), 1000);
});
