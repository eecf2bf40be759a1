import type { Clock } from "./clock.ts";

/** Lets `perSecond` through on average and `burst` at once; further ones wait in the order in which they came. */
export interface TokenBucket {
  readonly take: (signal: AbortSignal) => Promise<void>;
  /** How long one that came now would wait; takes the token. For callers that schedule instead of sleeping. */
  readonly reserveMs: () => number;
  /** Takes one only when it need not wait. */
  readonly tryTake: () => boolean;
}

export function createTokenBucket(perSecond: number, burst: number, clock: Clock): TokenBucket {
  const state = { tokens: burst, at: clock.monotonic() };
  const refill = (): void => {
    const now = clock.monotonic();
    state.tokens = Math.min(burst, state.tokens + ((now - state.at) / 1000) * perSecond);
    state.at = now;
  };
  const reserveMs = (): number => {
    refill();
    state.tokens -= 1;
    return state.tokens >= 0 ? 0 : (-state.tokens / perSecond) * 1000; // below zero: others wait before us
  };
  return {
    reserveMs,
    tryTake: () => {
      refill();
      if (state.tokens < 1) return false;
      state.tokens -= 1;
      return true;
    },
    take: async (signal) => {
      const ms = reserveMs();
      if (ms <= 0) return;
      try {
        await clock.sleep(ms, signal);
      } catch (error) {
        state.tokens += 1; // who left takes nothing: those who come later need not wait for it
        throw error;
      }
    },
  };
}
