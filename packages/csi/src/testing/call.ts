import type { Call } from "../grpc/handler.ts";

/** A call whose caller waits `seconds` and does not give up. */
export function aCall(seconds = 60): Call {
  const until = performance.now() + seconds * 1000;
  return { signal: new AbortController().signal, secondsLeft: () => (until - performance.now()) / 1000, tell: () => undefined };
}
