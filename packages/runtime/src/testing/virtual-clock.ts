import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../support/clock.ts";

/** Time that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Moves time forward, waking every sleeper at its moment and letting it work before the next wakes. */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets everything work that does not wait for time. */
  readonly settle: () => Promise<void>;
  /** When the next sleeper wakes, in milliseconds from now; undefined when nobody sleeps. */
  readonly nextWakeMs: () => number | undefined;
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** How often the event loop turns until all that was started has come to its next wait; promises in a row take one turn. */
const turns = 50;

async function settle(): Promise<void> {
  for (let at = 0; at < turns; at += 1) await turn();
}

export function createVirtualClock(startMs = Date.parse("2026-01-01T00:00:00Z")): VirtualClock {
  const sleepers = new Set<Sleeper>();
  const state = { now: 0, order: 0 };
  const first = (): Sleeper | undefined =>
    [...sleepers].reduce<Sleeper | undefined>(
      (best, one) => (best === undefined || one.at < best.at || (one.at === best.at && one.order < best.order) ? one : best),
      undefined,
    );
  return {
    now: () => startMs + state.now,
    monotonic: () => state.now,
    settle,
    nextWakeMs: () => {
      const next = first();
      return next === undefined ? undefined : next.at - state.now;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const abort = (): void => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener("abort", abort);
          sleepers.delete(sleeper);
          resolve();
        };
        state.order += 1;
        const sleeper = { at: state.now + ms, order: state.order, wake };
        sleepers.add(sleeper);
        signal.addEventListener("abort", abort, { once: true });
      }),
    advance: async (ms) => {
      const until = state.now + ms;
      await settle();
      for (let next = first(); next !== undefined && next.at <= until; next = first()) {
        state.now = Math.max(state.now, next.at);
        next.wake();
        await settle();
      }
      state.now = until;
    },
  };
}
