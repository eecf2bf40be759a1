/** How a manager runs its reconciles, leads, and stops. */
import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, isApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import type { ControlledKind, Run } from "../controller/kind.ts";
import { done, type Outcome, retry, terminal } from "../controller/outcome.ts";
import { events, leases } from "../kinds/cluster.ts";
import { configMaps } from "../kinds/core.ts";
import { createLog, silentLog } from "../support/log.ts";
import { faultyApi } from "../testing/faults.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import { createManager } from "./create-manager.ts";
import { setUp, waitingKind } from "./testing/widget-kind.ts";
import { until, withManager } from "./testing/with-manager.ts";

const signal = new AbortController().signal;
const key = { namespace: "n", name: "w" };

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

const nothing = async (): Promise<object> => ({});

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

test("lines of log and events of an object name, too, what it acts on", async () => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: key, spec: {} }, signal);
  const lines: string[] = [];
  const kind: ControlledKind<Widget, Run<Widget>> = {
    name: "widget",
    resource: widgets,
    conditions: [{ type: "Made", reason: "Made", message: "it is made" }],
    observe: async (run) => run,
    steps: [{ name: "make", condition: "Made", run: async () => done() }],
    phase: () => "Ready",
    logFields: ({ metadata: { name } }) => ({ machine: `machine of ${name}` }),
    related: ({ metadata: { namespace = "", name } }) => ({ kind: "Machine", namespace, name: `m-${name}` }),
  };
  await withManager(
    { api, log: createLog({ destination: { write: (line) => void lines.push(line) } }) },
    (manager) => manager.control(kind),
    async () => {
      await until(async () => (await client.list(events, {}, signal)).items.length > 0);
      const [event] = (await client.list(events, {}, signal)).items;
      deepEqual([event?.regarding.name, event?.related], ["w", { kind: "Machine", namespace: "n", name: "m-w" }]);
    },
  );
  match(
    lines.join(""),
    /"controller":"widget","object":"n\/w",.*"machine":"machine of w","phase":"Ready",.*"msg":"status changed"/u,
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
