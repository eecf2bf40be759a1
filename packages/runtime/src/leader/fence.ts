import type { Api, ApiCall } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import { describeCall } from "../client/call-path.ts";
import type { Clock } from "../support/clock.ts";

/**
 * Until when this process may act, by its own monotonic clock. The clock goes on while the process is stopped, so a process
 * that wakes up after its time sends nothing.
 */
export interface Fence {
  readonly isOpen: () => boolean;
  /** Throws unless open. */
  readonly check: (what: string) => void;
  readonly openUntil: (monotonicMs: number) => void;
  readonly close: () => void;
  /** The end of the time, or -Infinity. */
  readonly until: () => number;
}

export function createFence(clock: Clock): Fence {
  const state = { until: -Infinity };
  const isOpen = (): boolean => clock.monotonic() < state.until;
  return {
    isOpen,
    until: () => state.until,
    check: (what) => {
      if (!isOpen()) throw new ApiError({ kind: "fenced" }, `${what}: not sent: this process does not hold the lease (any more)`);
    },
    openUntil: (monotonicMs) => {
      state.until = monotonicMs;
    },
    close: () => {
      state.until = -Infinity;
    },
  };
}

/** Everything that goes through is checked right before its first byte leaves, after every wait for limits and connections. */
export function fencedApi(api: Api, fence: Fence): Api {
  const fenced = (call: ApiCall): ApiCall => ({
    ...call,
    beforeSend: () => {
      call.beforeSend?.();
      fence.check(describeCall(call));
    },
  });
  return { call: (call, signal) => api.call(fenced(call), signal), watch: (call, signal) => api.watch(fenced(call), signal) };
}
