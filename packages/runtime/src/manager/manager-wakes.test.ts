/** What wakes a controller, and what does not. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "../client/create-client.ts";
import { interceptApi } from "../client/intercept.ts";
import type { ControlledKind, Run } from "../controller/kind.ts";
import { waiting } from "../controller/outcome.ts";
import { configMaps } from "../kinds/core.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import { setUp, waitingKind } from "./testing/widget-kind.ts";
import { until, withManager } from "./testing/with-manager.ts";

const signal = new AbortController().signal;
const key = { namespace: "n", name: "w" };

test("an owner is woken when what it owns changes, also when somebody deletes it", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: key, spec: { size: 3 } }, signal);
  await withManager({ api }, setUp([]), async () => {
    await until(async () => (await client.find(configMaps, key, signal)) !== undefined);
    await until(async () => (await client.get(widgets, key, signal)).status?.observedGeneration === 1);
    await client.delete(configMaps, key, signal);
    await until(async () => (await client.find(configMaps, key, signal))?.data?.["size"] === "3");
    await client.delete(widgets, key, signal);
    await until(async () => (await client.find(widgets, key, signal)) === undefined);
  });
});

test("our own status write wakes nobody; somebody else's does", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: key, spec: { size: 3 } }, signal);
  let runs = 0;
  const kind: ControlledKind<Widget, Run<Widget>> = {
    name: "w",
    resource: widgets,
    conditions: [],
    observe: async (run) => run,
    steps: [
      {
        name: "s",
        run: async () => {
          runs += 1;
          return waiting("Never", "nothing comes");
        },
      },
    ],
  };
  await withManager(
    { api },
    (manager) => manager.control(kind),
    async () => {
      await until(async () => (await client.get(widgets, key, signal)).status !== undefined);
      await delay(50);
      equal(runs, 1);
      await client.patchStatus(widgets, key, { status: { copies: 5 } }, signal);
      await until(() => runs === 2);
    },
  );
});

const nothing = async (): Promise<object> => ({});

test("two controllers over one resource share one watch", async () => {
  const watches: string[] = [];
  const api = interceptApi(memoryApi(), {
    watch: (call, next) => {
      watches.push(call.resource.plural);
      return next();
    },
  });
  await withManager(
    { api },
    (manager) => {
      manager.reconcileWith({ name: "a", resource: widgets, reconcile: nothing });
      manager.reconcileWith({ name: "b", resource: widgets, reconcile: nothing });
    },
    async () => {
      await until(() => watches.length > 0);
      await delay(50); // a second one would be begun by now
    },
  );
  deepEqual(watches, ["widgets"]);
});

test("a status that one controller writes wakes the other controllers of the process", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: key, spec: { size: 3 } }, signal);
  const seen: (number | undefined)[] = [];
  await withManager(
    { api },
    (manager) => {
      const cache = manager.cacheFor(widgets);
      manager.control(waitingKind("writer", ({ status }) => (status.copies = 7)));
      const reconcile = async (): Promise<object> => {
        seen.push(cache.get(key)?.status?.copies);
        return {};
      };
      manager.reconcileWith({ name: "reader", resource: widgets, reconcile });
    },
    async () => until(() => seen.at(-1) === 7),
  );
});

test("a status that other parts of the process write wakes the controller of that kind", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: key, spec: { size: 3 } }, signal);
  let runs = 0;
  await withManager(
    { api },
    (manager) => manager.control(waitingKind("owner", () => (runs += 1))),
    async (manager) => {
      await until(async () => (await client.get(widgets, key, signal)).status !== undefined);
      const before = runs;
      await manager.client.patchStatus(widgets, key, { status: { copies: 9 } }, signal);
      await until(() => runs > before);
    },
  );
});
