/** The laws of every reconciler, held by a manager with a kind that has everything. */
import { ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import type { ControlledKind, Run } from "../controller/kind.ts";
import { done } from "../controller/outcome.ts";
import { configMaps } from "../kinds/core.ts";
import { failAt } from "../testing/faults.ts";
import { crashAtEveryCallConverges, oneFailureConverges, secondRunWritesNothing, type World } from "../testing/laws.ts";
import { liveManager } from "../testing/live-manager.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import type { Manager } from "./manager.ts";
import { setUp, widgetKind } from "./testing/widget-kind.ts";

const signal = new AbortController().signal;
const key = { namespace: "n", name: "w" };

async function makeWorld(): Promise<World> {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  const ledger: string[] = [];
  await client.create(widgets, { metadata: key, spec: { size: 3 } }, signal);
  return {
    api,
    live: (through) => liveManager(through, setUp(ledger), { restMs: 25 }),
    outcome: async () => {
      const widget = await client.find(widgets, key, signal);
      const conditions = widget?.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]);
      return {
        conditions,
        finalizers: widget?.metadata.finalizers,
        size: (await client.find(configMaps, key, signal))?.data,
        ledger: [...ledger],
      };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

test("law: a second life over a finished world writes nothing", () => secondRunWritesNothing(makeWorld));
test("law: a crash at every call, before and after it, converges", async () => {
  ok((await crashAtEveryCallConverges(makeWorld)) >= 4);
});
test("law: any one call that fails changes nothing about the end", () => {
  const errors = [
    new ApiError({ kind: "unavailable" }, "down"),
    new ApiError({ kind: "conflict" }, "stale"),
    new ApiError({ kind: "timeout" }, "late"),
  ];
  return oneFailureConverges(
    makeWorld,
    [1, 2, 3, 4].flatMap((number) => errors.map((error) => failAt(number, error))),
  );
});

/** Writes something else in every run. */
const restless = async (): Promise<World> => {
  const world = await makeWorld();
  let count = 0;
  const kind = (manager: Manager): ControlledKind<Widget, Run<Widget>> => ({
    ...widgetKind(manager, []),
    steps: [
      {
        name: "count",
        run: async ({ status }) => {
          count += 1;
          status.copies = count;
          return done();
        },
      },
    ],
  });
  return { ...world, live: (through) => liveManager(through, (manager) => manager.control(kind(manager)), { restMs: 25 }) };
};

/** Does its effect before it has written it down. */
const twice = async (): Promise<World> => {
  const world = await makeWorld();
  const effects: string[] = [];
  const kind = (manager: Manager): ControlledKind<Widget, Run<Widget>> => ({
    ...widgetKind(manager, []),
    steps: [
      {
        name: "blind",
        run: async (run, own) => {
          if (run.status.intent === undefined) effects.push("effect"); // done before it is written down
          run.status.intent = "done";
          await run.saveStatus(own);
          return done();
        },
      },
    ],
  });
  return {
    ...world,
    live: (through) => liveManager(through, (manager) => manager.control(kind(manager)), { restMs: 25 }),
    outcome: async () => effects.length,
  };
};

test("the laws find a reconciler that breaks them", async () => {
  await rejects(secondRunWritesNothing(restless), /a second run over a finished world wrote/u);
  await rejects(crashAtEveryCallConverges(twice), /after a crash (?:before|after) call/u);
});
