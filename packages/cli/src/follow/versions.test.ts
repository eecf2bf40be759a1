import { deepEqual, rejects } from "node:assert/strict";
import { test } from "node:test";
import { ApiError, configMaps, createClient, interceptApi, isApiError } from "kube-runtime";
import { createVirtualClock, memoryApi, type VirtualClock } from "kube-runtime/testing";
import { namingMissingRights } from "../cluster/missing-right.ts";
import { versionsOf } from "./versions.ts";

const key = { namespace: "shop", name: "one" };
const forever = new AbortController().signal;

/** A ConfigMap whose text changes, and a session whose calls may fail. */
async function stage() {
  const [clock, api] = [createVirtualClock(), memoryApi()];
  const owner = createClient(api, { fieldManager: "owner" });
  await owner.create(configMaps, { metadata: key, data: { text: "first" } }, forever);
  const fails: { get?: ApiError; watch?: ApiError } = {};
  const faulty = interceptApi(api, {
    call: (_, next) => (fails.get === undefined ? next() : Promise.reject(fails.get)),
    watch: (_, next) => (fails.watch === undefined ? next() : Promise.reject(fails.watch)),
  });
  const client = createClient(namingMissingRights(faulty), { fieldManager: "user" });
  const seen: (string | undefined)[] = [];
  const follow = async (): Promise<void> => {
    for await (const object of versionsOf({ client }, configMaps, key, clock, forever)) seen.push(object?.data?.["text"]);
  };
  const write = async (text: string): Promise<void> => {
    await owner.patch(configMaps, key, { data: { text } }, forever);
    await clock.settle();
  };
  return { clock, fails, seen, follow, write, remove: () => owner.delete(configMaps, key, forever) };
}

/** Time goes on until the following has ended. */
async function ended(clock: VirtualClock, following: Promise<void>): Promise<void> {
  const state = { over: false };
  const over = following.finally(() => (state.over = true));
  over.catch(() => undefined); // the caller looks at it
  for (let seconds = 0; !state.over && seconds < 300; seconds += 1) await clock.advance(1000);
  await following;
}

test("each version comes, and the end when it is gone", async () => {
  const { clock, seen, follow, write, remove } = await stage();
  const following = follow();
  await clock.settle();
  await write("second");
  await remove();
  await ended(clock, following);
  deepEqual(seen, ["first", "second", undefined]);
});

test("a user who may get but not watch sees versions all the same", async () => {
  const { clock, fails, seen, follow, write, remove } = await stage();
  fails.watch = new ApiError({ kind: "forbidden" }, 'x is forbidden: User "jane" cannot watch resource "configmaps"');
  const following = follow();
  await clock.settle();
  await write("second");
  await clock.advance(1000);
  await remove();
  await ended(clock, following);
  deepEqual(
    seen.filter((text, at) => text !== seen[at - 1]),
    ["first", "second", undefined],
  );
});

test("an API server that restarts is waited for; one that stays away is not", async () => {
  const { clock, fails, seen, follow, write } = await stage();
  const away = new ApiError({ kind: "unavailable" }, "no answer");
  fails.watch = away;
  const following = follow();
  await clock.settle();
  fails.get = away;
  await clock.advance(30_000);
  await write("second");
  delete fails.get;
  await clock.advance(1000);
  deepEqual(seen, ["first", "second"]);
  fails.get = away;
  await rejects(ended(clock, following), (error) => isApiError(error, "unavailable"));
});

test("who may not get it is told at once", async () => {
  const { clock, fails, follow } = await stage();
  fails.get = new ApiError({ kind: "forbidden" }, 'x is forbidden: User "jane" cannot get resource "configmaps"');
  await rejects(ended(clock, follow()), /jane may not get configmaps in namespace shop/u);
});
