import type { Cache, CacheOptions } from "../cache/cache.ts";
import type { Api } from "../client/api.ts";
import type { Client } from "../client/client.ts";
import type { ControlledKind } from "../controller/kind.ts";
import type { Trigger } from "../controller/watches.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { KubeObject, ObjectKey, ObjectWithStatus } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import type { Clock, Random } from "../support/clock.ts";
import type { Log } from "../support/log.ts";

export interface ManagerOptions {
  /** The program's name: field manager, reporting controller, user agent. */
  readonly name: string;
  /** `httpApi(await loadConnection())`, or one in memory. */
  readonly api: Api;
  readonly log: Log;
  /** Left out: this process acts at once, alone. */
  readonly leaderElection?: LeaderElectionOptions;
  /** Where `/metrics`, `/healthz` and `/readyz` are served; left out: nowhere. Port 0 takes a free one. */
  readonly http?: { readonly host?: string; readonly port: number };
  /** How long a graceful stop waits for running reconciles; 20 unless told. */
  readonly stopTimeoutSeconds?: number;
  /** Share one with the HTTP API; a new one unless given. */
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface LeaderElectionOptions {
  readonly namespace: string;
  /** The name of the Lease. */
  readonly name: string;
  /** Who we are: unique among all replicas, so the pod's name. A random one unless told. */
  readonly identity?: string;
  /** A leader that has not renewed for this long may be replaced; 15. */
  readonly leaseSeconds?: number;
  /** A leader that has not managed to renew for this long stops acting; 10. */
  readonly renewDeadlineSeconds?: number;
  /** Between two tries; 2. */
  readonly retrySeconds?: number;
}

export interface ControllerOptions<T extends KubeObject> {
  /** The objects that are controlled; `manager.cacheFor(resource)` unless given. */
  readonly cache?: Cache<T>;
  /** What else wakes a reconcile. */
  readonly triggers?: readonly Trigger[];
  /** How many objects at once; 1. Never two runs of the same object. */
  readonly concurrency?: number;
  /** The deadline of one run: its signal is aborted; 120. */
  readonly timeoutSeconds?: number;
  /** Delays after failures of one object: doubling from the first to the second; 0.2 and 60. */
  readonly backOffSeconds?: { readonly first: number; readonly most: number };
  /** Look at every object again after this long without a change; left out: never. */
  readonly resyncSeconds?: number;
}

/** What a plain reconciler answers: nothing more to do, or when to look again. A throw is retried with back-off. */
export type ReconcileResult = { readonly requeueAfterSeconds?: number };

/** A reconciler without the skeleton. `object` is undefined when it is gone. */
export interface Reconciler<T extends KubeObject> {
  readonly name: string;
  readonly resource: Resource<T>;
  /** What each line of log of an object's runs says beside its name. */
  readonly logFields?: (object: T) => Readonly<Record<string, unknown>>;
  readonly reconcile: (request: ReconcileRequest<T>, signal: AbortSignal) => Promise<ReconcileResult>;
}

export interface ReconcileRequest<T extends KubeObject> {
  readonly key: ObjectKey;
  readonly object: T | undefined;
  readonly id: string;
  readonly log: Log;
}

/**
 * Caches, controllers, leader election, health and metrics of one process.
 *
 * Expected flow: `createManager`, `cacheFor` and `control` for everything, then `run` once. Nothing is started before.
 */
export interface Manager {
  /**
   * For reconcilers and the outside: its writes are seen by the caches at once, and none of its requests leaves once this
   * process is no longer the leader.
   */
  readonly client: Client;
  /** The cache of one resource and selection. The same arguments give the same cache: controllers share one watch. */
  readonly cacheFor: <T extends KubeObject>(resource: Resource<T>, options?: CacheOptions<T>) => Cache<T>;
  /** Adds a controller for a kind with the skeleton of named steps. */
  readonly control: <T extends ObjectWithStatus, Ctx>(kind: ControlledKind<T, Ctx>, options?: ControllerOptions<T>) => void;
  /** Adds a controller with a plain reconcile function. */
  readonly reconcileWith: <T extends KubeObject>(reconciler: Reconciler<T>, options?: ControllerOptions<T>) => void;
  /** Work that only the leader does beside controllers; its signal is aborted when leadership ends. A throw ends the manager. */
  readonly whileLeading: (name: string, work: (signal: AbortSignal) => Promise<void>) => void;
  /** A question `/readyz` asks: why not ready, or undefined. */
  readonly addReadyCheck: (name: string, check: () => string | undefined) => void;
  readonly metrics: Metrics;
  /** Throws unless this process may act now. For effects that do not go through `client`: call it right before each. */
  readonly assertLeading: (what: string) => void;
  /** The port of `/metrics`, `/healthz`, `/readyz` while running. */
  readonly httpPort: () => number | undefined;
  /**
   * Runs until the signal is aborted, then stops gracefully: no new reconciles, running ones are waited for, the Lease is
   * given back. Rejects when leadership was lost (end the process: another replica acts now) or a part failed for good.
   */
  readonly run: (signal: AbortSignal) => Promise<void>;
}
