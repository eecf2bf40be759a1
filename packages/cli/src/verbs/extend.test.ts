import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createClient, interceptApi, isApiError, timestamp } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import { databases } from "../cluster/databases.ts";
import { aVdb, now } from "../testing/objects.ts";
import { testWorld } from "../testing/world.ts";
import { extended, renew } from "./extend.ts";

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

const { signal } = new AbortController();
const key = { namespace: "shop", name: "orders" };
const nobody = async (): Promise<never> => await Promise.reject(new Error("nobody is asked"));

/** A database that expires at 14:00, which somebody else writes to between each look at it and the next patch, so many times. */
async function contended(writes: number, spec: object = { expiry: { at: "2026-01-31T14:00:00Z", action: "Stop" } }) {
  const api = memoryApi();
  const theirs = createClient(api, { fieldManager: "operator" });
  await theirs.create(databases, aVdb({ spec }), signal);
  const state = { left: writes, patches: 0 };
  const between = interceptApi(api, {
    call: async ({ verb }, next) => {
      if (verb !== "patch") return await next();
      state.patches += 1;
      if (state.left > 0) await theirs.patch(databases, key, { metadata: { labels: { write: String(state.patches) } } }, signal);
      state.left -= 1;
      return await next();
    },
  });
  const world = testWorld(nobody, { clock: { now: () => now, monotonic: () => 0, sleep: nobody } });
  const client = createClient(between, { fieldManager: "kubectl-vdb" });
  const session = { client, namespace: key.namespace, may: nobody, [Symbol.asyncDispose]: async () => undefined };
  return {
    state,
    renew: (dryRun: "none" | "client" = "none") => renew({ world, session, flags: { wait: true, dryRun } }, key.name, 3600),
    present: async () => await theirs.get(databases, key, signal),
  };
}

test("extend: what somebody writes in between stays, and the expiry is later by that much once", async () => {
  const { renew: extendByAnHour, state, present } = await contended(4);
  const { patched, timeMs } = await extendByAnHour();
  const { metadata, spec } = await present();
  deepEqual([spec.expiry?.at, metadata.labels?.["write"], state.patches], ["2026-01-31T15:00:00Z", "4", 5]);
  deepEqual([patched?.spec.expiry?.at, timestamp(timeMs)], ["2026-01-31T15:00:00Z", "2026-01-31T15:00:00Z"]);
});

test("extend: it does not try for ever", async () => {
  const { renew: extendByAnHour, state, present } = await contended(Infinity);
  await rejects(extendByAnHour(), (error: unknown) => isApiError(error, "conflict"));
  deepEqual([state.patches, (await present()).spec.expiry?.at], [5, "2026-01-31T14:00:00Z"]);
});

test("extend: a dry run of the client sends nothing, and where there is no expiry it says how there is one", async () => {
  const { renew: extendByAnHour, state } = await contended(0);
  equal((await extendByAnHour("client")).patched, undefined);
  const endless = await contended(0, {});
  await rejects(endless.renew(), /PostgresVDB shop\/orders never expires: it has no spec\.expiry/u);
  deepEqual([state.patches, endless.state.patches], [0, 0]);
});
