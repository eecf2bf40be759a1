import { type Clock, longestTimerMs } from "./clock.ts";
import { untilAborted } from "./until-aborted.ts";

/** Rejected with when a deadline of ours passed. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Runs `work` with a signal that is aborted with the caller's signal or after `ms`. The timer and the listener go when the
 * work settles: a signal that lives as long as the process must not collect one listener a call.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(tooLong(what, ms)), Math.min(ms, longestTimerMs));
  const follow = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", follow);
  }
}

/** The same by a clock that is handed in, and it returns in time also when `work` does not listen to its signal. */
export async function withinTime<T>(
  clock: Clock,
  signal: AbortSignal,
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  const timer = new AbortController();
  clock.sleep(ms, timer.signal).then(
    () => controller.abort(tooLong(what, ms)),
    () => undefined, // it ended in time
  );
  try {
    return await untilAborted(work(controller.signal), controller.signal);
  } finally {
    timer.abort();
    signal.removeEventListener("abort", follow);
  }
}

const tooLong = (what: string, ms: number): DeadlineError =>
  new DeadlineError(`${what} took longer than ${Math.round(ms / 1000)} s`);
