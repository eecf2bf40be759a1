import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type CacheSet, createCacheSet } from "../cache/cache-set.ts";
import { createCache } from "../cache/create-cache.ts";
import { createClient } from "../client/create-client.ts";
import { createObjectMemories } from "../controller/object-memory.ts";
import { runController } from "../controller/run-controller.ts";
import { runKind, type SkeletonResult } from "../controller/skeleton.ts";
import { createEventRecorder } from "../events/recorder.ts";
import { createElection } from "../leader/election.ts";
import { createFence, fencedApi } from "../leader/fence.ts";
import { createMetrics } from "../metrics/create-metrics.ts";
import { resourceName } from "../objects/resource.ts";
import { systemClock } from "../support/clock.ts";
import type { Manager, ManagerOptions, ReconcileResult } from "./manager.ts";
import { type Part, type RunParts, runManager } from "./run-manager.ts";

export function createManager(options: ManagerOptions): Manager {
  const { name, api, log, leaderElection, clock = systemClock, random = Math.random } = options;
  const metrics = options.metrics ?? createMetrics();
  const fence = createFence(clock);
  if (leaderElection === undefined) fence.openUntil(Infinity);
  const direct = createClient(api, { fieldManager: name });
  const metadataClient = createClient(api, { fieldManager: name, metadataOnly: true });
  const stopping = new AbortController(); // ends what writes events, after everything else
  const watchActions = metrics.counter(
    "kube_runtime_watch_actions_total",
    "What caches did: lists, watches, pauses after failures.",
    ["resource", "action"],
  );
  const caches = createCacheSet((resource, cacheOptions) =>
    createCache({
      client: cacheOptions.metadataOnly === true ? metadataClient : direct,
      resource,
      options: cacheOptions,
      clock,
      random,
      log,
      onAction: (action) => watchActions.inc({ resource: resourceName(resource), action }),
    }),
  );
  silenceGauge(metrics, caches);
  const fenced = createClient(fencedApi(api, fence), { fieldManager: name });
  const client = caches.remembering(fenced);
  const identity = leaderElection?.identity ?? `${hostname()}_${randomUUID()}`;
  const recorder = createEventRecorder({ client, clock, log, controller: name, instance: identity, signal: stopping.signal });
  const parts: Part[] = [];
  const readyChecks = new Map<string, () => string | undefined>();
  const election =
    leaderElection === undefined
      ? undefined
      : createElection({
          client: direct,
          fence,
          namespace: leaderElection.namespace,
          name: leaderElection.name,
          identity,
          leaseSeconds: leaderElection.leaseSeconds ?? 15,
          renewDeadlineSeconds: leaderElection.renewDeadlineSeconds ?? 10,
          retrySeconds: leaderElection.retrySeconds ?? 2,
          clock,
          random,
          log,
        });
  if (leaderElection !== undefined) leaderGauge(metrics, leaderElection.name, fence.isOpen);
  const running: RunParts = {
    options,
    clock,
    log,
    metrics,
    caches,
    parts,
    readyChecks,
    election,
    fence,
    recorder,
    stopping,
    state: { started: false, httpPort: undefined, problems: [] },
  };

  const addPart = (part: Part): void => {
    if (running.state.started) throw new Error(`${part.name}: add controllers and work before the manager runs`);
    parts.push(part);
  };

  return {
    client,
    metrics,
    cacheFor: (resource, cacheOptions = {}) => {
      if (running.state.started) throw new Error(`cacheFor(${resourceName(resource)}): ask for caches before the manager runs`);
      return caches.cacheFor(resource, cacheOptions);
    },
    control: (kind, controllerOptions = {}) => {
      const cache = controllerOptions.cache ?? caches.cacheFor(kind.resource, {});
      const memories = createObjectMemories();
      const skeleton = { client, statusClient: caches.remembering(fenced, kind.name), events: recorder, clock, memories };
      addPart({
        name: kind.name,
        run: (signals) =>
          runController(
            {
              name: kind.name,
              cache,
              options: controllerOptions,
              clock,
              log,
              metrics,
              logFields: kind.logFields,
              run: (request, signal) => runKind(kind, skeleton, request, signal),
            },
            signals,
          ),
      });
    },
    reconcileWith: ({ name: controller, resource, reconcile, logFields }, controllerOptions = {}) => {
      const cache = controllerOptions.cache ?? caches.cacheFor(resource, {});
      addPart({
        name: controller,
        run: (signals) =>
          runController(
            {
              name: controller,
              cache,
              options: controllerOptions,
              clock,
              log,
              metrics,
              logFields,
              run: async (request, signal) => resultOf(await reconcile(request, signal)),
            },
            signals,
          ),
      });
    },
    whileLeading: (workName, work) => addPart({ name: workName, run: ({ intake }) => work(intake) }),
    addReadyCheck: (checkName, check) => readyChecks.set(checkName, check),
    assertLeading: (what) => fence.check(what),
    httpPort: () => running.state.httpPort,
    run: (signal) => runManager(running, signal),
  };
}

const resultOf = ({ requeueAfterSeconds }: ReconcileResult): SkeletonResult =>
  requeueAfterSeconds === undefined ? { kind: "done" } : { kind: "after", seconds: requeueAfterSeconds };

/** Where two caches read one resource, the one that has heard nothing for longer counts. */
function silenceGauge(metrics: Manager["metrics"], caches: CacheSet): void {
  const help =
    "Seconds since the API server last said something of this resource: it does so every minute, also when nothing happens.";
  metrics.gauge("kube_runtime_cache_silent_seconds", help, ["resource"]).collect(() => {
    const longest = new Map<string, number>();
    for (const cache of caches.all()) {
      const name = resourceName(cache.resource);
      longest.set(name, Math.max(longest.get(name) ?? 0, cache.silentSeconds()));
    }
    return [...longest].map(([resource, value]) => ({ value, labels: { resource } }));
  });
}

function leaderGauge(metrics: Manager["metrics"], name: string, isLeading: () => boolean): void {
  const help = "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.";
  metrics
    .gauge("leader_election_master_status", help, ["name"])
    .collect(() => [{ value: isLeading() ? 1 : 0, labels: { name } }]);
}
