import { setTimeout as sleep } from "node:timers/promises";

/** Asks until there is an answer that is neither undefined nor false; fails with the last error. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 20,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  let seen: unknown;
  while (performance.now() < end) {
    try {
      const found = await ask();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      seen = error;
    }
    await sleep(25);
  }
  throw new Error(`${what}: not within ${seconds} s; last: ${String(seen)}`);
}
