import { setTimeout as delay } from "node:timers/promises";

/** Time, handed in: tests run on one that they move themselves. */
export interface Clock {
  /** Milliseconds since 1970, for timestamps that people and the API read. */
  readonly now: () => number;
  /** Milliseconds that only go forward, also while the process is stopped: for deadlines and durations. */
  readonly monotonic: () => number;
  /** Resolves after this long; rejects with the signal's reason when it is aborted first. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A moment as the API has it: to the second, UTC. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/u, "Z");

/** MicroTime of the API: six digits. */
export const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

/** A number from 0 up to, not including, 1. */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      for (let left = ms; left > 0; left -= longestTimerMs) await delay(Math.min(left, longestTimerMs), undefined, { signal });
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted(); // node wraps the reason: give the caller the one it knows
      throw error;
    }
  },
};

/** A timer of Node that is told a longer time, 25 days or more, fires at once. */
export const longestTimerMs = 2 ** 31 - 1;
