import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "kube-runtime";
import type { Bytes, Pool } from "./pool/pool.ts";

/**
 * How many bytes datasets hold. Counting walks every extent, which takes seconds for a large database; so a figure is kept
 * for a while, and a list never waits for one. What lists ask for is counted one after the other, in a twentieth of the time.
 */
export interface Sizes {
  /** What is known now; a count is started when that is old. */
  known(name: string): Bytes | undefined;
  /** Counts if what is known is old, and waits for it, but not for long. */
  fresh(name: string): Promise<Bytes | undefined>;
}

const freshMs = 10_000;
const patienceMs = 1_500;

export function countedSizes(pool: Pool, log: Log): Sizes {
  const figures = new Map<string, { readonly at: number; readonly bytes: Bytes | undefined }>();
  const counting = new Map<string, Promise<void>>();

  const count = async (name: string): Promise<void> => {
    try {
      const bytes = (await pool.has(name)) ? await pool.bytes(name) : undefined;
      if (bytes === undefined) figures.delete(name);
      else figures.set(name, { at: performance.now(), bytes });
    } catch (error) {
      log.debug({ name, err: error }, "cannot count the bytes of a subvolume"); // removed meanwhile, most likely
    } finally {
      counting.delete(name);
    }
  };
  const refresh = (name: string): Promise<void> => {
    const running = counting.get(name) ?? count(name);
    counting.set(name, running);
    return running;
  };
  const isOld = (name: string): boolean => performance.now() - (figures.get(name)?.at ?? Number.NEGATIVE_INFINITY) > freshMs;

  const wanted = new Set<string>();
  const background = { isBusy: false };
  const countWanted = async (): Promise<void> => {
    if (background.isBusy) return;
    background.isBusy = true;
    for (const name of wanted) {
      wanted.delete(name);
      const from = performance.now();
      await refresh(name);
      await sleep((performance.now() - from) * 19, undefined, { ref: false });
    }
    background.isBusy = false;
  };

  return {
    known: (name) => {
      if (isOld(name)) {
        wanted.add(name);
        void countWanted();
      }
      return figures.get(name)?.bytes;
    },
    fresh: async (name) => {
      if (isOld(name)) {
        const patience = new Promise<void>((resolve) => void setTimeout(resolve, patienceMs).unref());
        await Promise.race([refresh(name), patience]);
      }
      return figures.get(name)?.bytes;
    },
  };
}
