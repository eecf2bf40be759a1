import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { planStrikes, type Strike } from "./plan.ts";

const halfAnHour = 1_800_000;
const kinds = (all: readonly Strike[]): number => new Set(all.map(({ victim, way }) => `${victim} ${way}`)).size;

test("the same seed strikes the same, another one otherwise", () => {
  deepEqual(planStrikes(7, halfAnHour, 5), planStrikes(7, halfAnHour, 5));
  notDeepEqual(planStrikes(7, halfAnHour, 5), planStrikes(8, halfAnHour, 5));
});

test("eighty seconds have nearly every kind, half an hour has them all, often", () => {
  for (const seed of [1, 2, 3]) {
    ok(kinds(planStrikes(seed, 80_000, 5)) >= 10, `seed ${seed}`);
    equal(kinds(planStrikes(seed, halfAnHour, 5)), 9 * 3, `seed ${seed}`);
    ok(planStrikes(seed, halfAnHour, 5).length > 300);
  }
});

test("a container is killed at most twice in ten minutes, and the kubelet's back-off is never beyond ten seconds", () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const kills = new Map<string, number[]>();
    for (const { victim, way, atMs, backOffMs } of planStrikes(seed, halfAnHour, 5)) {
      const before = kills.get(victim) ?? [];
      const counted = before.filter((at) => atMs - at <= 600_000).length;
      if (way === "kill") ok(counted < 2, `seed ${seed}: ${victim} at ${atMs}`);
      equal(backOffMs, way === "kill" && counted === 1 ? 10_000 : 0);
      kills.set(victim, way === "kill" ? [...before, atMs] : []);
    }
  }
});
