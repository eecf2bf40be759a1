import { setTimeout as delay } from "node:timers/promises";
import type { Api } from "../client/api.ts";
import { createManager } from "../manager/create-manager.ts";
import type { Manager, ManagerOptions } from "../manager/manager.ts";
import { silentLog } from "../support/log.ts";
import { CrashedError } from "./faults.ts";

export interface LiveOptions extends Partial<Pick<ManagerOptions, "name" | "log" | "clock" | "random">> {
  /** Nothing to do, for so long: it is at rest. 50. */
  readonly restMs?: number;
  /** Throws after so long; 10,000. */
  readonly mostMs?: number;
}

/**
 * One life of a manager for the laws: `setUp` adds caches and controllers, then it runs until it has come to rest: every
 * queue is empty and no call has been made for `restMs`; or until its API has crashed.
 */
export async function liveManager(api: Api, setUp: (manager: Manager) => void, options: LiveOptions = {}): Promise<void> {
  const stop = new AbortController();
  // At once: a dead process must not come to its next retry, where it could still do something outside of Kubernetes.
  const watched = watchCalls(api, () => stop.abort(new Error("the process has crashed")));
  const manager = createManager({ name: "test", log: silentLog, ...options, api: watched.api, stopTimeoutSeconds: 5 });
  const caches = noteCaches(manager, setUp);
  const running = manager.run(stop.signal);
  running.catch(() => undefined); // awaited below
  const until = performance.now() + (options.mostMs ?? 10_000);
  try {
    while (
      !watched.crashed() &&
      !(watched.quietMs() >= (options.restMs ?? 50) && caches.every((cache) => cache.synced()) && isIdle(manager))
    ) {
      if (performance.now() > until) throw new Error("the manager did not come to rest");
      await delay(5);
    }
  } finally {
    stop.abort(new Error("the life is over"));
    await running;
  }
}

/** Sets up, and remembers every cache: before all of them are read, rest means nothing. */
function noteCaches(manager: Manager, setUp: (manager: Manager) => void): readonly { readonly synced: () => boolean }[] {
  const caches: { readonly synced: () => boolean }[] = [];
  setUp({
    ...manager,
    cacheFor: (resource, options) => {
      const cache = manager.cacheFor(resource, options);
      caches.push(cache);
      return cache;
    },
    control: (kind, options) => {
      caches.push(options?.cache ?? manager.cacheFor(kind.resource));
      manager.control(kind, options);
    },
    reconcileWith: (reconciler, options) => {
      caches.push(options?.cache ?? manager.cacheFor(reconciler.resource));
      manager.reconcileWith(reconciler, options);
    },
  });
  return caches;
}

interface WatchedApi {
  readonly api: Api;
  readonly quietMs: () => number;
  readonly crashed: () => boolean;
}

function watchCalls(api: Api, onCrash: () => void): WatchedApi {
  const state = { open: 0, lastMs: performance.now(), crashed: false };
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    state.open += 1;
    try {
      return await work();
    } catch (error) {
      if (error instanceof CrashedError) {
        state.crashed = true;
        onCrash();
      }
      throw error;
    } finally {
      state.open -= 1;
      state.lastMs = performance.now();
    }
  };
  return {
    api: {
      call: (call, signal) => around(() => api.call(call, signal)),
      watch: (call, signal) => around(() => api.watch(call, signal)),
    },
    quietMs: () => (state.open > 0 ? 0 : performance.now() - state.lastMs),
    crashed: () => state.crashed,
  };
}

/** Nothing in the queues, nothing to be retried and nobody at work, by the manager's own metrics. */
function isIdle(manager: Manager): boolean {
  const busy = /^(?:workqueue_depth|kube_runtime_workqueue_failing|controller_runtime_active_workers)\{.*\} ([1-9]\d*)$/mu;
  return !busy.test(manager.metrics.text());
}
