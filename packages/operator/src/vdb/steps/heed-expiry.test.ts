import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { isSwitchedOn, postgresVDB, resourceOf } from "@vdb/api";
import { isApiError } from "kube-runtime";
import { forever, type Given, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { heedExpiry } from "./heed-expiry.ts";

/** The bench's time stands at 2026-01-01T00:00:00Z. */
const passed = "2025-12-31T23:00:00Z";
const announced = { time: "2025-12-31T23:00:00Z", action: "Stop", announcedTime: "2025-12-31T22:00:00Z" };
const expiry = (action: string, at = passed) => ({ expiry: { action, at } });

const orders = { namespace: "shop", name: "orders" };

async function run(given: Given) {
  const bench = await stepBench(given);
  bench.writes.length = 0;
  const outcome = await heedExpiry.run(bench.ctx, forever);
  equal(outcome.kind, "done", "the database comes up whatever it says");
  const again =
    outcome.kind === "done" && outcome.again !== undefined && "recheckSeconds" in outcome.again
      ? outcome.again.recheckSeconds
      : undefined;
  return { ...bench, again, status: bench.ctx.run.status.expiry };
}

test("a moment that has passed is announced first, with what happens and how to renew it", async () => {
  const { writes, events, conditions, again, status } = await run({ spec: expiry("Delete") });
  deepEqual([writes, events, again], [[], ["Announced"], 300]);
  deepEqual(status, { time: passed, action: "Delete", announcedTime: "2026-01-01T00:00:00Z" });
  match(
    conditions[0]?.message ?? "",
    /expires at 2025-12-31T23:00:00Z: then, .* the operator deletes it; .*kubectl vdb extend orders 8h -n shop/u,
  );
});

test("announced once, it is told by the condition alone", async () => {
  const later = { time: "2026-01-01T00:30:00Z", action: "Stop", announcedTime: "2025-12-31T23:30:00Z" };
  const { events, conditions, again } = await run({ spec: expiry("Stop", later.time), status: { expiry: later } });
  deepEqual([events, conditions.map(({ reason }) => reason), again], [[], ["Announced"], 1800]);
});

test("Stop is recorded, told once, and looked at again at once; then it stays", async () => {
  const first = await run({ spec: expiry("Stop"), status: { expiry: announced } });
  deepEqual([first.writes, first.events, first.again], [[], ["Expired"], 0.01]);
  equal(isSwitchedOn(aVdb({ status: { expiry: first.status } })), false);
  const second = await run({ spec: expiry("Stop"), status: { expiry: first.status } });
  deepEqual([second.writes, second.events, second.again, second.status], [[], [], undefined, first.status]);
});

test("renewed, or without an expiry, it is switched on again at once", async () => {
  const stopped = { ...announced, stoppedTime: "2025-12-31T23:00:01Z" };
  for (const spec of [expiry("Stop", "2026-02-01T00:00:00Z"), {}]) {
    const { again, status } = await run({ spec, status: { expiry: stopped } });
    equal(again, 0.01);
    equal(isSwitchedOn(aVdb({ status: { expiry: status } })), true);
  }
});

test("Delete deletes the database as it was read", async () => {
  const bench = await stepBench({ spec: expiry("Delete"), status: { expiry: { ...announced, action: "Delete" } } });
  const { uid, resourceVersion } = (await bench.client.get(resourceOf(postgresVDB), orders, forever)).metadata;
  const { vdb } = bench.ctx;
  bench.writes.length = 0;
  await heedExpiry.run({ ...bench.ctx, vdb: { ...vdb, metadata: { ...vdb.metadata, uid, resourceVersion } } }, forever);
  deepEqual([bench.writes, bench.events], [["delete postgresvdbs orders"], ["ExpiryDeleted"]]);
});

test("an edit that comes before the deletion wins", async () => {
  const bench = await stepBench({ spec: expiry("Delete"), status: { expiry: { ...announced, action: "Delete" } } });
  await bench.client.patch(resourceOf(postgresVDB), orders, { spec: { port: 6000 } }, forever);
  await rejects(
    async () => await heedExpiry.run(bench.ctx, forever),
    (error) => isApiError(error, "conflict"),
  );
});

test("while an action works on the database, it waits", async () => {
  const activeAction = { kind: "VDBRewind", name: "a", namespace: "shop", uid: "u" };
  const { writes, events } = await run({
    spec: expiry("Delete"),
    status: { expiry: { ...announced, action: "Delete" }, activeAction },
  });
  deepEqual([writes, events], [[], []]);
});
