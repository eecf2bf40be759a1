import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import type { StorageLevel } from "../../data/storage.ts";
import { forever, stepBench } from "../step-bench.ts";
import { tellStorage } from "./tell-storage.ts";

interface Row {
  readonly name: string;
  readonly why: string;
  /** Undefined: no engine is known to hold the data. */
  readonly level: StorageLevel | "unknown" | undefined;
  /** The reason that the status has so far. */
  readonly before?: "RoomLeft" | "PoolNearlyFull" | "PoolFull";
  readonly want: readonly string[];
  readonly events: readonly string[];
}

const rows: readonly Row[] = [
  { name: "no engine known", why: "there is no storage to speak of", level: undefined, want: [], events: [] },
  { name: "no figures", why: "a condition that nothing stands behind would be a guess", level: "unknown", want: [], events: [] },
  {
    name: "no figures from a new operator",
    why: "what an earlier one has found stays until there are figures",
    level: "unknown",
    before: "PoolFull",
    want: ["False PoolFull"],
    events: [],
  },
  { name: "free space at first sight", why: "that is no news", level: "roomLeft", want: ["True RoomLeft"], events: [] },
  { name: "full at first sight", why: "somebody has to act", level: "full", want: ["False PoolFull"], events: ["PoolFull"] },
  {
    name: "still full",
    why: "an event tells of a change",
    level: "full",
    before: "PoolFull",
    want: ["False PoolFull"],
    events: [],
  },
  {
    name: "from the reserve to full",
    why: "it got worse",
    level: "full",
    before: "PoolNearlyFull",
    want: ["False PoolFull"],
    events: ["PoolFull"],
  },
  {
    name: "free space again",
    why: "whoever acted wants to see it",
    level: "roomLeft",
    before: "PoolNearlyFull",
    want: ["True RoomLeft"],
    events: ["RoomLeft"],
  },
];

describe("tellStorage", () => {
  for (const { name, why, level, before, want, events } of rows)
    test(name, async () => {
      const type = "StorageHealthy";
      const told = { type, status: before === "RoomLeft" ? "True" : "False", reason: before, message: "as of before" };
      const conditions = before === undefined ? [] : [{ ...told, lastTransitionTime: "2026-01-01T00:00:00Z" }];
      const bench = await stepBench({ status: { conditions } });
      const known = level === undefined ? undefined : { engine: "delphix-engine", level };
      const world = { ...bench.ctx.world, storage: { ...bench.ctx.world.storage, of: () => known } };
      const outcome = await tellStorage.run({ ...bench.ctx, world }, forever);
      deepEqual([outcome.kind, bench.conditions.map(({ status, reason }) => `${status} ${reason}`)], ["done", want], why);
      deepEqual(bench.events, events, why);
    });

  for (const { told, own, want, why } of [
    { told: undefined, own: 16_384, want: 16_384, why: "the first look" },
    { told: 16_384, own: 2 ** 20, want: 16_384, why: "less than a MiB is no news" },
    { told: 2 ** 30, own: 2 ** 30 + 2 ** 25, want: 2 ** 30, why: "less than a tenth is no news" },
    { told: 2 ** 30, own: 2 ** 31, want: 2 ** 31, why: "it has grown" },
    { told: 2 ** 30, own: 16_384, want: 16_384, why: "a refresh has replaced it" },
    { told: 2 ** 30, own: undefined, want: 2 ** 30, why: "what is not known any more stays" },
  ])
    test(`the bytes of its own: ${why}`, async () => {
      const bench = await stepBench({ status: told === undefined ? {} : { ownBytes: told } });
      const bytes = own === undefined ? undefined : { own, shared: 0 };
      const world = { ...bench.ctx.world, storage: { ...bench.ctx.world.storage, bytesOf: () => bytes } };
      await tellStorage.run({ ...bench.ctx, world }, forever);
      equal(bench.ctx.run.status.ownBytes, want, why);
    });
});
