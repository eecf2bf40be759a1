import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, isApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { interceptApi } from "../client/intercept.ts";
import type { ControlledKind, Run } from "../controller/kind.ts";
import { done, type Outcome, retry, terminal, waiting } from "../controller/outcome.ts";
import { owned } from "../controller/watches.ts";
import { leases } from "../kinds/cluster.ts";
import { configMaps } from "../kinds/core.ts";
import { controllerReference } from "../objects/owner.ts";
import { silentLog } from "../support/log.ts";
import { failAt, faultyApi } from "../testing/faults.ts";
import { crashAtEveryCallConverges, oneFailureConverges, secondRunWritesNothing, type World } from "../testing/laws.ts";
import { liveManager } from "../testing/live-manager.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import { createManager } from "./create-manager.ts";
import type { Manager, ManagerOptions } from "./manager.ts";

const signal = new AbortController().signal;
const key = { namespace: "n", name: "w" };

/** A kind with everything: a child object, an intent and an effect outside, clean-up. */
function widgetKind(manager: Manager, ledger: string[]): ControlledKind<Widget, Run<Widget>> {
  const maps = manager.cacheFor(configMaps);
  return {
    name: "widget",
    resource: widgets,
    conditions: [
      { type: "Copied", reason: "Copied", message: "the copy is there" },
      { type: "Entered", reason: "Entered", message: "the line is in the ledger" },
    ],
    observe: async (run) => run,
    steps: [
      {
        name: "copy",
        condition: "Copied",
        run: async ({ object, client }, own) => {
          const size = String(object.spec.size);
          const present = maps.get(key);
          if (present?.data?.["size"] === size) return done();
          const metadata = { ...key, ownerReferences: [controllerReference(object)] };
          if (present === undefined) await client.create(configMaps, { metadata, data: { size } }, own);
          else await client.patch(configMaps, key, { data: { size } }, own);
          return done();
        },
      },
      {
        name: "enter",
        condition: "Entered",
        run: async (run, own) => {
          run.status.intent = run.object.metadata.name;
          await run.saveStatus(own);
          if (!ledger.includes(run.status.intent)) ledger.push(run.status.intent);
          return done();
        },
      },
    ],
    cleanUp: {
      finalizer: "testing.kube-runtime.dev/clean",
      steps: [
        {
          name: "strike",
          run: async (run) => {
            const at = ledger.indexOf(run.object.metadata.name);
            if (at !== -1) ledger.splice(at, 1);
            return done();
          },
        },
      ],
    },
  };
}

const setUp =
  (ledger: string[]) =>
  (manager: Manager): void => {
    const maps = manager.cacheFor(configMaps);
    manager.control(widgetKind(manager, ledger), {
      triggers: [owned(maps, widgets)],
      backOffSeconds: { first: 0.01, most: 0.05 },
    });
  };

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

/** A manager that runs for the length of a test. */
async function withManager(
  options: Partial<ManagerOptions>,
  prepare: (manager: Manager) => void,
  during: (manager: Manager) => Promise<void>,
): Promise<void> {
  const manager = createManager({ name: "test", api: memoryApi(), log: silentLog, ...options });
  prepare(manager);
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  try {
    await during(manager);
  } finally {
    stop.abort(new Error("the test is over"));
    await running;
  }
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await check())) {
    ok(performance.now() < endMs, "not within a minute");
    await delay(5);
  }
}

test("a reconciler that throws anything at all is retried, and the others go on", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  for (const name of ["good", "bad"]) await client.create(widgets, { metadata: { namespace: "n", name }, spec: {} }, signal);
  const runs: Record<string, number> = {};
  const reconcile = async ({ key: { name } }: { readonly key: { readonly name: string } }): Promise<object> => {
    runs[name] = (runs[name] ?? 0) + 1;
    // oxlint-disable-next-line typescript/only-throw-error -- what other people's code throws is not always an Error
    if (name === "bad") throw undefined;
    return {};
  };
  await withManager(
    { api },
    (manager) =>
      manager.reconcileWith({ name: "r", resource: widgets, reconcile }, { backOffSeconds: { first: 0.01, most: 0.02 } }),
    async (manager) => {
      await until(() => (runs["bad"] ?? 0) >= 3);
      equal(runs["good"], 1);
      match(manager.metrics.text(), /controller_runtime_reconcile_errors_total\{controller="r"\} [3-9]/u);
    },
  );
});

test("a run that takes too long is aborted and retried", async () => {
  const api = memoryApi();
  await createClient(api, { fieldManager: "test" }).create(widgets, { metadata: key, spec: {} }, signal);
  const reasons: string[] = [];
  const reconcile = async (_request: unknown, own: AbortSignal): Promise<object> => {
    await delay(60_000, undefined, { signal: own }).catch(() => reasons.push(String(own.reason)));
    own.throwIfAborted();
    return {};
  };
  await withManager(
    { api },
    (manager) =>
      manager.reconcileWith(
        { name: "slow", resource: widgets, reconcile },
        { timeoutSeconds: 0.02, backOffSeconds: { first: 0.01, most: 0.01 } },
      ),
    async (manager) => {
      await until(() => reasons.length >= 2);
      match(reasons[0] ?? "", /the reconcile of n\/w took longer/u);
      await until(() => /controller_runtime_reconcile_timeouts_total\{controller="slow"\} [1-9]/u.test(manager.metrics.text()));
    },
  );
});

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
    () => delay(50),
  );
  deepEqual(watches, ["widgets"]);
});

test("health and readiness say what they mean", async () => {
  let broken = true;
  const api = interceptApi(memoryApi(), {
    watch: async (_call, next) => {
      if (broken) throw new ApiError({ kind: "unavailable" }, "down");
      return next();
    },
  });
  let engine: string | undefined = "the engine does not answer";
  await withManager(
    { api, http: { host: "127.0.0.1", port: 0 } },
    (manager) => {
      manager.cacheFor(widgets);
      manager.addReadyCheck("engine", () => engine);
    },
    async (manager) => {
      await until(() => manager.httpPort() !== undefined);
      const ask = async (path: string): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${manager.httpPort()}${path}`);
        return `${answer.status} ${await answer.text()}`;
      };
      equal(await ask("/healthz"), "200 ok\n");
      equal(
        await ask("/readyz"),
        "503 widgets.testing.kube-runtime.dev: not read yet: down\nengine: the engine does not answer\n",
      );
      broken = false;
      engine = undefined;
      await until(async () => (await ask("/readyz")) === "200 ok\n");
      match(
        await ask("/metrics"),
        /kube_runtime_watch_actions_total\{resource="widgets\.testing\.kube-runtime\.dev",action="adopt"\}|action="gather"/u,
      );
      match(await ask("/elsewhere"), /^404 /u);
    },
  );
});

test("a replica that does not lead keeps its caches warm and writes nothing", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: key, spec: { size: 3 } }, signal);
  await client.create(
    leases,
    { metadata: { namespace: "n", name: "l" }, spec: { holderIdentity: "other", leaseDurationSeconds: 60, renewTime: "x" } },
    signal,
  );
  const counted = faultyApi(api, () => undefined);
  await withManager(
    { api: counted, leaderElection: { namespace: "n", name: "l", identity: "me" } },
    setUp([]),
    async (manager) => {
      const cache = manager.cacheFor;
      ok(cache);
      await delay(100);
      await rejects(manager.client.create(configMaps, { metadata: key }, signal), (error: unknown) =>
        isApiError(error, "fenced"),
      );
    },
  );
  deepEqual(
    counted
      .calls()
      .filter(({ verb, resource }) => verb !== "get" && resource.plural !== "configmaps")
      .map(({ verb }) => verb),
    [],
  );
  equal(await client.find(configMaps, key, signal), undefined);
});

const waitingKind = (name: string, onRun: (run: Run<Widget>) => void): ControlledKind<Widget, Run<Widget>> => ({
  name,
  resource: widgets,
  conditions: [],
  observe: async (run) => run,
  steps: [
    {
      name: "s",
      run: async (run) => {
        onRun(run);
        return waiting("Never", "nothing comes");
      },
    },
  ],
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

test("a ready check or a reader of a metric that throws is an answer, not the end of the process", async () => {
  await withManager(
    { http: { host: "127.0.0.1", port: 0 } },
    (manager) => {
      manager.addReadyCheck("engine", () => {
        throw new Error("no route to the engine");
      });
      manager.metrics.gauge("mine", "A gauge.").collect(() => {
        throw new Error("no reading");
      });
    },
    async (manager) => {
      await until(() => manager.httpPort() !== undefined);
      const ask = async (path: string): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${manager.httpPort()}${path}`);
        return `${answer.status} ${await answer.text()}`;
      };
      equal(await ask("/readyz"), "503 engine: no route to the engine\n");
      equal(await ask("/metrics"), "500 /metrics could not be answered: no reading\n");
      equal(await ask("/healthz"), "200 ok\n");
    },
  );
});

test("what is added after the manager runs would never run: it is refused", async () => {
  await withManager(
    {},
    () => undefined,
    async (manager) => {
      throws(() => manager.control(waitingKind("late", () => undefined)), /before the manager runs/u);
      throws(() => manager.reconcileWith({ name: "late", resource: widgets, reconcile: nothing }), /before the manager runs/u);
      throws(() => manager.whileLeading("late", async () => undefined), /before the manager runs/u);
    },
  );
});

const runsOf: Record<string, number> = {};
const failByName = async ({ object }: Run<Widget>): Promise<Outcome> => {
  const { name } = object.metadata;
  runsOf[name] = (runsOf[name] ?? 0) + 1;
  if (name === "busy") throw new ApiError({ kind: "tooManyRequests", retryAfterSeconds: 30 }, "slow down");
  if (name === "bug") throw new TypeError("x is undefined");
  return terminal("Stuck", "only a person can help");
};

test("a reconcile that the API server asked to stay away does, and is counted; bugs and terminal outcomes too", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  for (const name of ["busy", "bug", "stuck"])
    await client.create(widgets, { metadata: { namespace: "n", name }, spec: {} }, signal);
  const kind = waitingKind("counted", () => undefined);
  await withManager(
    { api },
    (manager) => {
      const backOffSeconds = { first: 0.01, most: 0.02 };
      manager.control({ ...kind, steps: [{ name: "s", run: failByName }] }, { backOffSeconds });
    },
    async (manager) => {
      await until(() => (runsOf["bug"] ?? 0) >= 4);
      deepEqual([runsOf["busy"], runsOf["stuck"]], [1, 1]);
      const text = manager.metrics.text();
      match(text, /controller_runtime_reconcile_panics_total\{controller="counted"\} [3-9]/u);
      match(text, /controller_runtime_terminal_reconcile_errors_total\{controller="counted"\} 1/u);
      match(text, /controller_runtime_reconcile_total\{controller="counted",result="success"\} 0/u);
    },
  );
});

test("what asks to be looked at again is, without a change of anything; what does not is left alone", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  const outcomes: Readonly<Record<string, Outcome>> = {
    done: done({ recheckSeconds: 0.01 }),
    stalled: terminal("KeyMissing", "set it", { backOff: true }),
    retried: retry("EngineDown", "start it"),
    left: terminal("BadImage", "name another"),
  };
  for (const name of Object.keys(outcomes))
    await client.create(widgets, { metadata: { namespace: "n", name }, spec: {} }, signal);
  const runs = new Map<string, number>();
  const look = async ({ object }: Run<Widget>): Promise<Outcome> => {
    const { name } = object.metadata;
    runs.set(name, (runs.get(name) ?? 0) + 1);
    return outcomes[name] ?? done();
  };
  const kind = { ...waitingKind("looking", () => undefined), backOff: () => 0.01, steps: [{ name: "s", run: look }] };
  await withManager(
    { api },
    (manager) => manager.control(kind),
    async () => {
      await until(() => ["done", "stalled", "retried"].every((name) => (runs.get(name) ?? 0) >= 4));
      equal(runs.get("left"), 1);
    },
  );
});

test("a stop leaves behind, in time, what does not listen to its signal", async () => {
  const api = memoryApi();
  await createClient(api, { fieldManager: "test" }).create(widgets, { metadata: key, spec: {} }, signal);
  const manager = createManager({ name: "test", api, log: silentLog, stopTimeoutSeconds: 0.1 });
  const state = { running: false, told: false };
  const deaf = Promise.withResolvers<object>();
  const reconcile = async (_request: unknown, own: AbortSignal): Promise<object> => {
    state.running = true;
    own.addEventListener("abort", () => (state.told = true), { once: true });
    return deaf.promise;
  };
  manager.reconcileWith({ name: "deaf", resource: widgets, reconcile });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  await until(() => state.running);
  const from = performance.now();
  stop.abort(new Error("SIGTERM"));
  await running;
  const ms = performance.now() - from;
  deaf.resolve({});
  ok(state.told && ms >= 1050 && ms < 30_000, `${Math.round(ms)} ms: one second in peace, then 0.1 s after it was told`);
});
