import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Clock } from "../support/clock.ts";
import { createTokenBucket } from "../support/token-bucket.ts";
import { isFullTier, testSeed } from "../testing/tier.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createDueHeap } from "./due-heap.ts";
import { createWorkQueue, type Priority, type WorkQueue } from "./work-queue.ts";

/** Time for one queue: it has one sleeper at most, so moving time is a loop over that one. */
interface QueueClock extends Clock {
  readonly advance: (ms: number) => Promise<void>;
}

function queueClock(): QueueClock {
  const state: { now: number; sleeper: { readonly at: number; readonly wake: () => void } | undefined } = {
    now: 0,
    sleeper: undefined,
  };
  return {
    now: () => state.now,
    monotonic: () => state.now,
    sleep: (ms) =>
      new Promise((resolve) => {
        state.sleeper = { at: state.now + ms, wake: resolve }; // one that was replaced never wakes: as good as aborted
      }),
    advance: async (ms) => {
      const until = state.now + ms;
      for (let next = state.sleeper; next !== undefined && next.at <= until; next = state.sleeper) {
        state.now = next.at;
        state.sleeper = undefined;
        next.wake();
        await settled();
      }
      state.now = until;
    },
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
}

const first = 0.1;
const most = 1;

function makeQueue(clock: Clock): WorkQueue {
  return createWorkQueue({ clock, backOffSeconds: { first, most }, retries: createTokenBucket(1e9, 1e9, clock) });
}

/** The model: what a queue is, written as plainly as it can be. */
interface Model {
  readonly fresh: string[];
  readonly resync: string[];
  readonly working: Map<string, Priority | undefined>;
  readonly delayed: Map<string, { readonly at: number; readonly priority: Priority }>;
  readonly failures: Map<string, number>;
  now: number;
  takes: number;
}

interface Real {
  readonly queue: WorkQueue;
  readonly clock: QueueClock;
}

const modelAdd = (model: Model, key: string, priority: Priority): void => {
  model.delayed.delete(key);
  if (model.working.has(key)) {
    if (model.working.get(key) !== "fresh") model.working.set(key, priority);
    return;
  }
  if (model.fresh.includes(key)) return;
  const at = model.resync.indexOf(key);
  if (priority === "resync" && at !== -1) return;
  if (at !== -1) model.resync.splice(at, 1);
  model[priority].push(key);
};

const modelAddAfter = (model: Model, key: string, ms: number, priority: Priority): void => {
  if (model.fresh.includes(key) || model.resync.includes(key)) return;
  const present = model.delayed.get(key) ?? { at: Infinity, priority };
  // Whole back-offs of two keys may end at the same moment: then the one that has had its time for longer comes first.
  if (model.now + ms < present.at) model.delayed.delete(key);
  model.delayed.set(key, {
    at: Math.min(present.at, model.now + ms),
    priority: [present.priority, priority].includes("fresh") ? "fresh" : "resync",
  });
};

const modelAdvance = (model: Model, ms: number): void => {
  model.now += ms;
  const due = [...model.delayed].filter(([, { at }]) => at <= model.now).toSorted(([, a], [, b]) => a.at - b.at);
  for (const [key, { priority }] of due) modelAdd(model, key, priority);
};

const modelTake = (model: Model): string | undefined => {
  if (model.fresh.length + model.resync.length === 0) return undefined;
  model.takes += 1;
  const lanes = model.takes % 8 === 0 ? [model.resync, model.fresh] : [model.fresh, model.resync];
  const key = lanes.find((lane) => lane.length > 0)?.shift();
  if (key !== undefined) model.working.set(key, undefined);
  return key;
};

type Command = fc.AsyncCommand<Model, Real>;
const command = (
  name: string,
  check: (model: Model) => boolean,
  run: (model: Model, real: Real) => Promise<void> | void,
): Command => ({
  check,
  run: async (model, real) => {
    await run(model, real);
    await settled();
    equal(real.queue.depth(), model.fresh.length + model.resync.length, "depth");
    equal(real.queue.running().length, model.working.size, "working");
  },
  toString: () => name,
});
const always = (): boolean => true;

const keys = fc.constantFrom("a", "b");
/** Each delay differs from all others in its fraction: what is due at the same moment has no order. */
const delays = fc.tuple(fc.nat(400), fc.nat(1_000_000)).map(([ms, part]) => ms + (part + 1) / 1_000_003);
const commands = [
  fc.tuple(keys, fc.constantFrom<Priority>("fresh", "resync")).map(([key, priority]) =>
    command(`add ${key} ${priority}`, always, (model, { queue }) => {
      modelAdd(model, key, priority);
      queue.add(key, priority);
    }),
  ),
  fc.tuple(keys, delays, fc.constantFrom<Priority>("fresh", "resync")).map(([key, ms, priority]) =>
    command(`addAfter ${key} ${ms} ${priority}`, always, (model, { queue }) => {
      modelAddAfter(model, key, ms, priority);
      queue.addAfter(key, ms, priority);
    }),
  ),
  keys.map((key) =>
    command(
      `retry ${key}`,
      (model) => model.working.has(key),
      (model, { queue }) => {
        const count = (model.failures.get(key) ?? 0) + 1;
        model.failures.set(key, count);
        modelAddAfter(model, key, Math.min(first * 2 ** (count - 1), most) * 1000, "fresh");
        queue.retry(key);
      },
    ),
  ),
  keys.map((key) =>
    command(`forget ${key}`, always, (model, { queue }) => {
      model.failures.delete(key);
      queue.forget(key);
      equal(queue.failures(key), 0);
    }),
  ),
  fc.constant(
    command(
      "take",
      (model) => model.fresh.length + model.resync.length > 0,
      async (model, { queue }) => {
        const want = modelTake(model);
        equal(await queue.take(new AbortController().signal), want, "the key that was taken");
      },
    ),
  ),
  keys.map((key) =>
    command(
      `done ${key}`,
      (model) => model.working.has(key),
      (model, { queue }) => {
        const again = model.working.get(key);
        model.working.delete(key);
        if (again !== undefined) modelAdd(model, key, again);
        queue.done(key);
      },
    ),
  ),
  fc.nat(600).map((ms) =>
    command(`advance ${ms}`, always, async (model, { clock }) => {
      modelAdvance(model, ms);
      await clock.advance(ms);
    }),
  ),
];

test("the queue does what its model does, whatever the order of calls", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: "max" }), async (all) => {
      const clock = queueClock();
      const model: Model = {
        fresh: [],
        resync: [],
        working: new Map(),
        delayed: new Map(),
        failures: new Map(),
        now: 0,
        takes: 0,
      };
      await fc.asyncModelRun(() => ({ model, real: { queue: makeQueue(clock), clock } }), all);
    }),
    { numRuns: isFullTier ? 12_000 : 800, seed: testSeed },
  );
});

test("a key added while it is worked on comes again, and nobody else gets it meanwhile", async (t) => {
  const queue = makeQueue(queueClock());
  queue.add("a");
  equal(await queue.take(t.signal), "a");
  queue.add("a");
  queue.add("a");
  equal(queue.depth(), 0);
  queue.done("a");
  equal(await queue.take(t.signal), "a");
  queue.done("a");
  equal(queue.depth(), 0);
});

test("a stream of fresh events does not starve a resync", async (t) => {
  const queue = makeQueue(queueClock());
  queue.add("old", "resync");
  const taken: string[] = [];
  for (let at = 0; at < 8; at += 1) {
    queue.add(`fresh-${at}`);
    const key = await queue.take(t.signal);
    taken.push(key);
    queue.done(key);
  }
  equal(taken.includes("old"), true);
});

test("a taker that gave up gets nothing, and the key goes to the next", async (t) => {
  const queue = makeQueue(queueClock());
  const gone = new AbortController();
  const left = queue.take(gone.signal).catch((error: unknown) => String(error));
  const stays = queue.take(t.signal);
  gone.abort("gone");
  queue.add("a");
  deepEqual(await Promise.all([left, stays]), ["gone", "a"]);
});

test("back-off doubles for a key up to the limit, and starts anew when it is forgotten", async () => {
  const clock = queueClock();
  const queue = makeQueue(clock);
  const signal = new AbortController().signal;
  queue.add("a");
  const waits: number[] = [];
  for (let failure = 0; failure < 6; failure += 1) {
    await queue.take(signal);
    queue.retry("a");
    queue.done("a");
    const from = clock.monotonic();
    while (queue.depth() === 0) await clock.advance(50);
    waits.push(clock.monotonic() - from);
    if (failure === 4) queue.forget("a");
  }
  deepEqual(waits, [100, 200, 400, 800, 1000, 100]);
});

test("all retries together go through the one limit, whatever their own back-off", async () => {
  const clock = createVirtualClock();
  const retries = createTokenBucket(10, 5, clock);
  const queue = createWorkQueue({ clock, backOffSeconds: { first: 0.001, most: 1 }, retries });
  const taken: number[] = [];
  for (let number = 0; number < 25; number += 1) queue.retry(`key-${number}`);
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    for (;;) {
      await queue.take(stop.signal);
      taken.push(clock.monotonic());
    }
  };
  const working = work().catch(() => undefined);
  await clock.advance(1000);
  equal(taken.length, 5 + 10, "5 at once, then 10 a second");
  await clock.advance(1000);
  equal(taken.length, 25);
  stop.abort();
  await working;
  queue.close();
});

test("a retry waits at least as long as it was told", async (t) => {
  const clock = createVirtualClock();
  const queue = makeQueue(clock);
  queue.retry("a", 7000);
  await clock.advance(6990);
  equal(queue.depth(), 0);
  await clock.advance(20);
  equal(await queue.take(t.signal), "a");
});

test("times that were overtaken do not pile up", () => {
  const heap = createDueHeap();
  for (let number = 0; number < 10_000; number += 1) {
    heap.add(`key-${number % 10}`, 1e9 - number);
    if (number % 3 === 0) heap.remove(`key-${number % 10}`);
  }
  ok(heap.held() < 200, `${heap.held()} entries for ${heap.size()} keys`);
  const due: number[] = [];
  for (let next = heap.next(); next !== undefined; next = heap.next()) {
    due.push(next);
    heap.take();
  }
  deepEqual(
    due,
    due.toSorted((a, b) => a - b),
  );
});
