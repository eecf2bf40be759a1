import type { CacheSet } from "../cache/cache-set.ts";
import type { ControllerSignals } from "../controller/run-controller.ts";
import type { EventRecorder } from "../events/recorder.ts";
import type { Election } from "../leader/election.ts";
import type { Fence } from "../leader/fence.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { resourceName } from "../objects/resource.ts";
import type { Clock } from "../support/clock.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import type { ManagerOptions } from "./manager.ts";
import { type RunningServer, serveHttp } from "./serve-http.ts";

/** Something that only the leader does: a controller, or other work. */
export interface Part {
  readonly name: string;
  readonly run: (signals: ControllerSignals) => Promise<void>;
}

export interface RunParts {
  readonly options: ManagerOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly caches: CacheSet;
  readonly parts: readonly Part[];
  readonly readyChecks: ReadonlyMap<string, () => string | undefined>;
  readonly election: Election | undefined;
  readonly fence: Fence;
  readonly recorder: EventRecorder;
  readonly stopping: AbortController;
  readonly state: { started: boolean; httpPort: number | undefined; readonly problems: string[] };
}

/** Running reconciles may end by themselves for so long; then their signals are aborted, so that the next leader need not wait. */
const drainMs = 1000;

/** The life of a manager, from the first watch to the lease given back. */
export async function runManager(run: RunParts, signal: AbortSignal): Promise<void> {
  if (run.state.started) throw new Error("a manager runs once");
  run.state.started = true;
  const { http } = run.options;
  const server = http === undefined ? undefined : await serve(run, http);
  const background = new AbortController();
  const watching = Promise.all(run.caches.all().map((cache) => cache.run(background.signal)));
  watching.catch((error: unknown) => run.state.problems.push(`a cache ended: ${errorMessage(error)}`));
  try {
    await lead(run, signal);
  } finally {
    await run.recorder.flush();
    run.stopping.abort(new Error("the manager has stopped"));
    background.abort(new Error("the manager has stopped"));
    await watching.catch(() => undefined); // told above
    await server?.[Symbol.asyncDispose]();
    run.state.httpPort = undefined;
  }
}

async function serve(run: RunParts, { host, port }: { readonly host?: string; readonly port: number }): Promise<RunningServer> {
  const server = await serveHttp(host, port, {
    metrics: run.metrics.text,
    unhealthy: () => run.state.problems,
    notReady: () => notReady(run),
  });
  run.state.httpPort = server.port;
  return server;
}

function notReady({ caches, readyChecks }: RunParts): readonly string[] {
  const unsynced = caches.all().filter((cache) => !cache.synced());
  const failing = [...readyChecks]
    .map(([name, check]) => [name, answerOf(check)] as const)
    .filter(([, why]) => why !== undefined);
  return [
    ...unsynced.map((cache) => [`${resourceName(cache.resource)}: not read yet`, cache.problem()].filter(Boolean).join(": ")),
    ...failing.map(([name, why]) => `${name}: ${why}`),
  ];
}

/** A check that throws is one that failed: it must not end the process. */
function answerOf(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    return errorMessage(error);
  }
}

/** Waits for the lease, runs all parts while it is ours, and gives it back. */
async function lead(run: RunParts, signal: AbortSignal): Promise<void> {
  const { election, log, fence, parts } = run;
  if (!(await acquired(run, signal))) return;
  const intake = new AbortController();
  const hard = new AbortController();
  const holding = new AbortController();
  const ended = Promise.withResolvers<void>();
  const stop = (): void => ended.resolve();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const held = election?.hold(holding.signal).catch((error: unknown) => ended.reject(error));
  const working = parts.map(async (part) => {
    try {
      await part.run({ intake: intake.signal, hard: hard.signal });
    } catch (error) {
      if (!intake.signal.aborted) ended.reject(new Error(`${part.name}: ${errorMessage(error)}`, { cause: error }));
    }
  });
  try {
    await ended.promise;
    log.info({}, "stopping");
  } catch (error) {
    log.error({ error: errorMessage(error) }, "ending");
    hard.abort(error); // not the leader any more, or broken: nothing may go on
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    intake.abort(new Error("the manager is stopping"));
    await drained(run, working, hard);
    holding.abort(new Error("the manager is stopping"));
    await held;
    await election?.release();
    fence.close();
  }
}

async function acquired({ election, log, options }: RunParts, signal: AbortSignal): Promise<boolean> {
  if (election === undefined) return !signal.aborted;
  try {
    await election.acquire(signal);
    log.info({ lease: options.leaderElection?.name }, "leading");
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** Waits for the running reconciles, at first patiently. One that does not end in time is left behind, and said. */
async function drained(
  { clock, log, options }: RunParts,
  working: readonly Promise<void>[],
  hard: AbortController,
): Promise<void> {
  const all = Promise.all(working).then(() => true);
  const timers = new AbortController();
  const within = (ms: number): Promise<boolean> =>
    clock.sleep(ms, timers.signal).then(
      () => false,
      () => false,
    );
  try {
    if (await Promise.race([all, within(drainMs)])) return;
    hard.abort(new Error("the manager is stopping"));
    if (await Promise.race([all, within((options.stopTimeoutSeconds ?? 20) * 1000)])) return;
    log.error({}, "a reconcile did not end when it was told to: left behind");
  } finally {
    timers.abort();
  }
}
