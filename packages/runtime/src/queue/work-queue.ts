import type { Clock } from "../support/clock.ts";
import type { TokenBucket } from "../support/token-bucket.ts";
import { createDueHeap } from "./due-heap.ts";

/** `fresh`: something happened. `resync`: it is only time to look, so it goes behind everything fresh. */
export type Priority = "fresh" | "resync";

/**
 * Keys that wait to be worked on.
 *
 * Guarantees: a key is worked on by one at a time, and is never lost: added while it is worked on, it comes again afterwards;
 * added many times before, it comes once. Within a priority first come, first served; one take in eight serves the oldest
 * resync, so that a stream of fresh events does not starve it.
 * Caveats: an immediate add overtakes a delay of the same key and ends it; the run that follows says itself when to come again.
 */
export interface WorkQueue {
  readonly add: (key: string, priority?: Priority) => void;
  /** `fresh` unless told; of several delays of one key the earliest counts, and it is fresh when one of them is. */
  readonly addAfter: (key: string, ms: number, priority?: Priority) => void;
  /** Again, after the back-off of this key and at least `leastMs`: it doubles with every failure until `forget`. */
  readonly retry: (key: string, leastMs?: number) => void;
  readonly forget: (key: string) => void;
  /** Waits for a key and takes it; call `done` with it afterwards. Rejects when the signal is aborted. */
  readonly take: (signal: AbortSignal) => Promise<string>;
  readonly done: (key: string) => void;
  /** Keys ready to be taken. */
  readonly depth: () => number;
  readonly failures: (key: string) => number;
  /** Keys whose last run failed and that will be retried. */
  readonly failing: () => number;
  /** Milliseconds that each key now worked on has been so. */
  readonly running: () => readonly number[];
  /** Ends the waiting for delayed keys. */
  readonly close: () => void;
}

export interface QueueOptions {
  readonly clock: Clock;
  readonly backOffSeconds: { readonly first: number; readonly most: number };
  /** All retries together go through this. */
  readonly retries: TokenBucket;
  readonly observer?: QueueObserver;
}

/** What the metrics of a queue are made from. */
export interface QueueObserver {
  readonly onAdd: () => void;
  readonly onTake: (waitedMs: number) => void;
  readonly onDone: (workedMs: number) => void;
  readonly onRetry: () => void;
}

export function createWorkQueue({ clock, backOffSeconds, retries, observer }: QueueOptions): WorkQueue {
  const lanes = { fresh: new Map<string, number>(), resync: new Map<string, number>() }; // key → when it was added, in order
  const working = new Map<string, { since: number; again: Priority | undefined }>();
  const delayed = createDueHeap();
  const delayedResyncs = new Set<string>(); // those of them that are only time to look
  const failed = new Map<string, number>();
  const takers: ((key: string) => void)[] = [];
  const state = { takes: 0, wakeAt: Infinity, waker: new AbortController(), closed: false };

  const choose = (): string | undefined => {
    state.takes += 1;
    const first = state.takes % 8 === 0 ? lanes.resync : lanes.fresh;
    const other = first === lanes.fresh ? lanes.resync : lanes.fresh;
    const lane = first.size > 0 ? first : other;
    const next = lane.entries().next();
    if (next.done === true) return undefined;
    const [key, since] = next.value;
    lane.delete(key);
    const now = clock.monotonic();
    working.set(key, { since: now, again: undefined });
    observer?.onTake(now - since);
    return key;
  };
  const serve = (): void => {
    while (takers.length > 0 && lanes.fresh.size + lanes.resync.size > 0) {
      const key = choose();
      if (key !== undefined) takers.shift()?.(key);
    }
  };
  const enqueue = (key: string, priority: Priority): void => {
    delayed.remove(key);
    delayedResyncs.delete(key);
    const run = working.get(key);
    if (run !== undefined) {
      run.again = run.again === "fresh" ? "fresh" : priority;
      return;
    }
    if (lanes.fresh.has(key) || (priority === "resync" && lanes.resync.has(key))) return;
    const since = lanes.resync.get(key) ?? clock.monotonic();
    lanes.resync.delete(key);
    lanes[priority].set(key, since);
    observer?.onAdd();
    serve();
  };
  const wakeDelayed = (): void => {
    state.wakeAt = Infinity;
    for (let due = delayed.next(); due !== undefined && due <= clock.monotonic(); due = delayed.next()) {
      const key = delayed.take();
      if (key !== undefined) enqueue(key, delayedResyncs.has(key) ? "resync" : "fresh");
    }
    schedule();
  };
  /** One sleep for all delayed keys, to the earliest; made anew when an earlier one comes. */
  const schedule = (): void => {
    if (state.closed) return;
    const due = delayed.next() ?? Infinity;
    if (due >= state.wakeAt) return;
    state.waker.abort();
    state.waker = new AbortController();
    state.wakeAt = due;
    clock.sleep(Math.max(0, due - clock.monotonic()), state.waker.signal).then(wakeDelayed, () => undefined); // aborted: another sleeps
  };
  const addAfter = (key: string, ms: number, priority: Priority): void => {
    if (lanes.fresh.has(key) || lanes.resync.has(key)) return; // it comes sooner than that
    if (priority === "fresh") delayedResyncs.delete(key);
    else if (!delayed.has(key)) delayedResyncs.add(key);
    delayed.add(key, clock.monotonic() + ms);
    schedule();
  };

  return {
    add: (key, priority = "fresh") => enqueue(key, priority),
    addAfter: (key, ms, priority = "fresh") => (ms <= 0 ? enqueue(key, priority) : addAfter(key, ms, priority)),
    retry: (key, leastMs = 0) => {
      const count = (failed.get(key) ?? 0) + 1;
      failed.set(key, count);
      observer?.onRetry();
      const backOffMs = Math.min(backOffSeconds.first * 2 ** (count - 1), backOffSeconds.most) * 1000;
      addAfter(key, Math.max(backOffMs, leastMs, retries.reserveMs()), "fresh");
    },
    forget: (key) => failed.delete(key),
    failures: (key) => failed.get(key) ?? 0,
    failing: () => failed.size,
    depth: () => lanes.fresh.size + lanes.resync.size,
    running: () => [...working.values()].map(({ since }) => clock.monotonic() - since),
    take: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const abort = (): void => {
          takers.splice(takers.indexOf(taker), 1);
          reject(signal.reason);
        };
        const taker = (key: string): void => {
          signal.removeEventListener("abort", abort);
          resolve(key);
        };
        signal.addEventListener("abort", abort, { once: true });
        takers.push(taker);
        serve();
      }),
    close: () => {
      state.closed = true;
      state.waker.abort();
    },
    done: (key) => {
      const run = working.get(key);
      if (run === undefined) return;
      working.delete(key);
      observer?.onDone(clock.monotonic() - run.since);
      if (run.again !== undefined) enqueue(key, run.again);
    },
  };
}
