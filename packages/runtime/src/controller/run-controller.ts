import { randomUUID } from "node:crypto";
import type { Cache, CacheEvent } from "../cache/cache.ts";
import { isApiError } from "../client/api-error.ts";
import type { ControllerOptions, ReconcileRequest } from "../manager/manager.ts";
import { type ControllerMetrics, controllerMetrics } from "../metrics/controller-metrics.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type KubeObject, keyOf, nameOfKey, parseKey } from "../objects/object.ts";
import { createWorkQueue, type WorkQueue } from "../queue/work-queue.ts";
import type { Clock } from "../support/clock.ts";
import { DeadlineError, withDeadline } from "../support/deadline.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import { createTokenBucket } from "../support/token-bucket.ts";
import { isOwnStatusWrite } from "./own-write.ts";
import type { SkeletonResult } from "./skeleton.ts";

export interface ControllerParts<T extends KubeObject> {
  readonly name: string;
  readonly cache: Cache<T>;
  readonly options: ControllerOptions<T>;
  readonly run: (request: ReconcileRequest<T>, signal: AbortSignal) => Promise<SkeletonResult>;
  /** See `ControlledKind`. */
  readonly logFields?: ((object: T) => Readonly<Record<string, unknown>>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Two signals: `intake` ends the taking of new keys, `hard` ends the runs that are under way. */
export interface ControllerSignals {
  readonly intake: AbortSignal;
  readonly hard: AbortSignal;
}

/** Retries of all keys together: 100 at once, then 10 a second, as client-go has it. */
const retriesPerSecond = 10;
const retryBurst = 100;

/** Waits for its caches, then reconciles until `intake` is aborted and the running ones have ended. */
export async function runController<T extends KubeObject>(parts: ControllerParts<T>, signals: ControllerSignals): Promise<void> {
  const { name, cache, options, clock, metrics } = parts;
  const concurrency = options.concurrency ?? 1;
  const counted = controllerMetrics(metrics, name, concurrency);
  const queue = createWorkQueue({
    clock,
    backOffSeconds: options.backOffSeconds ?? { first: 0.2, most: 60 },
    retries: createTokenBucket(retriesPerSecond, retryBurst, clock),
    observer: counted.queue,
  });
  counted.watchQueue(queue);
  if (!(await synced(parts, signals.intake))) return;
  const ends = [
    cache.subscribe((event) => enqueueEvent(queue, event, name)),
    ...(options.triggers ?? []).map((trigger) => trigger.start((key, priority) => queue.add(nameOfKey(key), priority))),
  ];
  void resync(parts, queue, signals.intake);
  try {
    await Promise.all(Array.from({ length: concurrency }, () => work(parts, queue, counted, signals)));
  } finally {
    for (const end of ends) end();
    queue.close();
  }
}

async function synced<T extends KubeObject>({ cache, options }: ControllerParts<T>, signal: AbortSignal): Promise<boolean> {
  try {
    await Promise.all([cache, ...(options.triggers ?? [])].map(({ waitForSync }) => waitForSync(signal)));
    return true;
  } catch {
    return false; // only an abort ends the waiting
  }
}

function enqueueEvent<T extends KubeObject>(queue: WorkQueue, event: CacheEvent<T>, controller: string): void {
  if (isOwnStatusWrite(event, controller)) return;
  queue.add(keyOf(event.object), event.type === "added" && event.initial ? "resync" : "fresh");
}

async function resync<T extends KubeObject>(
  { cache, options, clock }: ControllerParts<T>,
  queue: WorkQueue,
  signal: AbortSignal,
): Promise<void> {
  if (options.resyncSeconds === undefined) return;
  while (!signal.aborted) {
    await clock.sleep(options.resyncSeconds * 1000, signal).catch(() => undefined); // aborted: the loop sees it
    if (!signal.aborted) for (const object of cache.list()) queue.add(keyOf(object), "resync");
  }
}

async function work<T extends KubeObject>(
  parts: ControllerParts<T>,
  queue: WorkQueue,
  counted: ControllerMetrics,
  { intake, hard }: ControllerSignals,
): Promise<void> {
  for (;;) {
    const key = await queue.take(intake).catch(() => undefined); // aborted: no further keys
    if (key === undefined) return;
    counted.active(1);
    try {
      await runKey(parts, queue, counted, key, hard);
    } finally {
      counted.active(-1);
      queue.done(key);
    }
  }
}

/** One run. Never throws: whatever a reconciler throws is logged, counted and retried. */
async function runKey<T extends KubeObject>(
  parts: ControllerParts<T>,
  queue: WorkQueue,
  counted: ControllerMetrics,
  key: string,
  hard: AbortSignal,
): Promise<void> {
  const { name, cache, clock, options } = parts;
  const id = randomUUID();
  const object = cache.get(parseKey(key));
  const more = object === undefined ? {} : parts.logFields?.(object);
  const log = parts.log.child({ controller: name, object: key, reconcileID: id, ...more });
  const startedMs = clock.monotonic();
  const timeoutMs = (options.timeoutSeconds ?? 120) * 1000;
  const request = { key: parseKey(key), object, id, log };
  let result: SkeletonResult;
  try {
    result = await withDeadline(hard, timeoutMs, `the reconcile of ${key}`, (signal) => parts.run(request, signal));
  } catch (error) {
    result = { kind: "failed", error };
  }
  const seconds = (clock.monotonic() - startedMs) / 1000;
  if (hard.aborted) return; // stopping: another replica or the next start looks again
  settle(queue, counted, key, result, seconds, log);
}

function settle(
  queue: WorkQueue,
  counted: ControllerMetrics,
  key: string,
  result: SkeletonResult,
  seconds: number,
  log: Log,
): void {
  switch (result.kind) {
    case "failed":
      counted.onRun("error", seconds);
      if (result.error instanceof DeadlineError) counted.onTimeout();
      if (isBug(result.error)) counted.onPanic();
      if (isApiError(result.error, "conflict"))
        log.debug({ error: errorMessage(result.error) }, "somebody else was faster: again");
      else log.error({ error: errorMessage(result.error), failures: queue.failures(key) + 1, seconds }, "reconcile failed");
      queue.retry(key, retryAfterMs(result.error));
      return;
    case "after":
      counted.onRun("requeue_after", seconds);
      queue.forget(key);
      queue.addAfter(key, result.seconds * 1000);
      break;
    case "terminal":
      counted.onTerminal();
      counted.onRun("error", seconds);
      queue.forget(key);
      recheck(queue, key, result);
      break;
    case "done":
    case "waiting":
      counted.onRun("success", seconds);
      queue.forget(key);
      recheck(queue, key, result);
      break;
    case "gone":
      counted.onRun("success", seconds);
      queue.forget(key);
      break;
    default:
      result satisfies never;
  }
  log.debug({ outcome: result.kind, seconds }, "reconciled");
}

/** Nothing is known to have happened: it goes behind what has. */
function recheck(queue: WorkQueue, key: string, { recheckSeconds }: { readonly recheckSeconds?: number }): void {
  if (recheckSeconds !== undefined) queue.addAfter(key, recheckSeconds * 1000, "resync");
}

const isBug = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;

/** How long the API server asked us to stay away, no longer than a minute. */
function retryAfterMs(error: unknown): number {
  const seconds = isApiError(error, "tooManyRequests", "unavailable") ? (error.retryAfterSeconds ?? 0) : 0;
  return Math.min(seconds, 60) * 1000;
}
