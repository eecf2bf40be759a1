import { nameOfKey, type ObjectKey, type Trigger } from "kube-runtime";

/**
 * Looks again at a database after a while, where nothing reports a change by itself: a Secret that is read by name alone, or
 * a cause that a person mends outside of the cluster.
 */
export interface Rechecks {
  readonly trigger: Trigger;
  /** An earlier look that was asked for already stays. */
  readonly after: (key: ObjectKey, seconds: number) => void;
}

interface Waiting {
  readonly at: number;
  readonly timer: NodeJS.Timeout;
}

export function createRechecks(now: () => number = () => performance.now()): Rechecks {
  const waiting = new Map<string, Waiting>();
  let enqueue: ((key: ObjectKey) => void) | undefined;
  const stop = (): void => {
    for (const { timer } of waiting.values()) clearTimeout(timer);
    waiting.clear();
  };
  return {
    trigger: {
      cacheName: "rechecks",
      waitForSync: async () => undefined,
      start: (add) => {
        enqueue = (key) => add(key, "resync");
        return stop;
      },
    },
    after: (key, seconds) => {
      const name = nameOfKey(key);
      const at = now() + seconds * 1000;
      const earlier = waiting.get(name);
      if (earlier !== undefined && earlier.at <= at) return;
      clearTimeout(earlier?.timer);
      const look = (): void => {
        waiting.delete(name);
        enqueue?.(key);
      };
      waiting.set(name, { at, timer: setTimeout(look, seconds * 1000).unref() });
    },
  };
}
