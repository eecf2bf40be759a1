import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { ApiError, isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { interceptApi } from "../client/intercept.ts";
import type { RecordedEvent } from "../events/recorder.ts";
import { DeadlineError } from "../support/deadline.ts";
import { silentLog } from "../support/log.ts";
import { type MemoryApi, memoryApi } from "../testing/memory-api.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import type { ControlledKind, Run, Step } from "./kind.ts";
import { createObjectMemories } from "./object-memory.ts";
import { after, done, type Outcome, retry, terminal, waiting } from "./outcome.ts";
import { runKind, type SkeletonResult } from "./skeleton.ts";
import { endingSummary } from "./summary.ts";

const key = { namespace: "n", name: "w" };
const signal = new AbortController().signal;

interface Bench {
  readonly api: MemoryApi;
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly events: RecordedEvent[];
  readonly read: () => Promise<Widget | undefined>;
  readonly run: (kind: ControlledKind<Widget, Run<Widget>>, client?: Client, signal?: AbortSignal) => Promise<SkeletonResult>;
}

async function bench(metadata: object = {}): Promise<Bench> {
  const api = memoryApi();
  const clock = createVirtualClock();
  const memories = createObjectMemories();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: { ...key, ...metadata }, spec: { size: 1 } }, signal);
  const events: RecordedEvent[] = [];
  const recorder = { record: (_object: unknown, event: RecordedEvent) => void events.push(event), flush: async () => undefined };
  const read = (): Promise<Widget | undefined> => client.find(widgets, key, signal);
  return {
    api,
    client,
    clock,
    events,
    read,
    run: async (kind, through = client, runSignal = signal) => {
      const parts = { client: through, events: recorder, clock, memories };
      return runKind(kind, parts, { key, object: await read(), id: "1", log: silentLog }, runSignal);
    },
  };
}

const kindOf = (
  steps: readonly Step<Run<Widget>>[],
  more: Partial<ControlledKind<Widget, Run<Widget>>> = {},
): ControlledKind<Widget, Run<Widget>> => ({
  name: "widget",
  resource: widgets,
  conditions: [{ type: "Made", reason: "Made", message: "it is made" }],
  observe: async (run) => run,
  steps,
  ...more,
});
const step = (run: Step<Run<Widget>>["run"]): Step<Run<Widget>> => ({ name: "make", condition: "Made", run });

test("a run writes conditions, phase and generation at once, and a second run writes nothing", async () => {
  const { run, read, events } = await bench();
  const kind = kindOf(
    [
      step(async ({ status }) => {
        status.copies = 1;
        return done();
      }),
    ],
    { phase: (conditions) => (conditions[0]?.status === "True" ? "Ready" : "Pending") },
  );
  deepEqual(await run(kind), { kind: "done" });
  const first = await read();
  deepEqual([first?.status?.phase, first?.status?.observedGeneration, first?.status?.copies], ["Ready", 1, 1]);
  deepEqual(
    first?.status?.conditions?.map(({ type, status, reason, observedGeneration }) => [type, status, reason, observedGeneration]),
    [
      ["Ready", "True", "Ready", 1],
      ["Made", "True", "Made", 1],
    ],
  );
  deepEqual(
    events.map(({ type, reason }) => [type, reason]),
    [["Normal", "Made"]],
  );
  await run(kind);
  equal((await read())?.metadata.resourceVersion, first?.metadata.resourceVersion);
  equal(events.length, 1);
});

test("later steps do not run once one is not done", async () => {
  const { run } = await bench();
  const ran: string[] = [];
  const named = (name: string, outcome: () => ReturnType<typeof done>): Step<Run<Widget>> => ({
    name,
    run: async () => {
      ran.push(name);
      return outcome();
    },
  });
  const result = await run(kindOf([named("a", () => done()), named("b", () => after(7, "Slow", "…")), named("c", () => done())]));
  deepEqual([ran, result], [["a", "b"], { kind: "after", seconds: 7 }]);
});

test("a throw is shown as a condition and given to the back-off; its stack is not shown", async () => {
  const { run, read, events } = await bench();
  const result = await run(
    kindOf([
      step(async () => {
        throw new Error("the disk is full");
      }),
    ]),
  );
  equal(result.kind, "failed");
  const made = (await read())?.status?.conditions?.find(({ type }) => type === "Made");
  deepEqual([made?.status, made?.reason, made?.message], ["False", "Failed", "the disk is full"]);
  deepEqual(
    events.map(({ type }) => type),
    ["Warning"],
  );
});

test("a kind finds better words for an error than the error itself", async () => {
  const { run, read } = await bench();
  await run(
    kindOf(
      [
        step(async () => {
          throw new Error("ECONNREFUSED");
        }),
      ],
      { explain: () => retry("EngineDown", "start the engine") },
    ),
  );
  equal((await read())?.status?.conditions?.[0]?.reason, "EngineDown");
});

test("a conflict is no news: it is thrown for a retry, and status stays as it was", async () => {
  const { run, read } = await bench();
  const kind = kindOf([
    step(async () => {
      throw new ApiError({ kind: "conflict" }, "somebody was faster");
    }),
  ]);
  await rejects(run(kind), (error: unknown) => isApiError(error, "conflict"));
  equal((await read())?.status, undefined);
});

test("when we are stopping, status stays as it was; when the run took too long, it is said", async () => {
  for (const { reason, want } of [
    { reason: new Error("stopping"), want: undefined },
    { reason: new DeadlineError("the reconcile of n/w took longer than 120 s"), want: "TimedOut" },
  ]) {
    const { run, read, client } = await bench();
    const controller = new AbortController();
    const kind = kindOf([
      step(async (_ctx, own) => {
        controller.abort(reason);
        own.throwIfAborted();
        return done();
      }),
    ]);
    await run(kind, client, controller.signal).catch((error: unknown) => equal(error, reason));
    equal((await read())?.status?.conditions?.[0]?.reason, want);
  }
});

test("the finalizer is there before the first step, and goes only when every clean-up step is done", async () => {
  const { run, read, client } = await bench();
  const finalizer = "testing.kube-runtime.dev/clean";
  let clean = false;
  const kind = kindOf(
    [
      step(async ({ object }) => {
        ok(object.metadata.finalizers?.includes(finalizer));
        return done();
      }),
    ],
    {
      cleanUp: {
        finalizer,
        steps: [{ name: "empty", run: async () => (clean ? done() : waiting("NotEmpty", "the volume is still there")) }],
      },
    },
  );
  deepEqual(await run(kind), { kind: "done" });
  await client.delete(widgets, key, signal);
  deepEqual(await run(kind), { kind: "waiting" });
  const dying = await read();
  ok(dying?.metadata.finalizers?.includes(finalizer));
  deepEqual(
    dying?.status?.conditions?.slice(0, 2).map(({ type, status, reason }) => [type, status, reason]),
    [
      ["Ready", "False", "Deleting"],
      ["Reconciling", "True", "NotEmpty"],
    ],
  );
  clean = true;
  deepEqual(await run(kind), { kind: "gone" });
  equal(await read(), undefined);
});

/** What each write of a run was, and what a kind that waits for its first write finds. */
async function firstWrites(work: (run: Run<Widget>) => Promise<void>, metadata: object = {}): Promise<readonly string[]> {
  const { run, read, api } = await bench(metadata);
  const finalizer = "testing.kube-runtime.dev/clean";
  const writes: string[] = [];
  const counted = interceptApi(api, {
    call: async (call, next) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what this test sends
      const fields = call.subresource === "status" ? ["status"] : Object.keys((call.body as Widget).metadata).toSorted();
      writes.push(fields.filter((field) => field !== "resourceVersion").join(" "));
      return await next();
    },
  });
  const one = step(async (given) => {
    ok(given.object.metadata.finalizers === undefined, "the step runs without it");
    await work(given);
    return done();
  });
  await run(
    kindOf([one], { cleanUp: { finalizer, comesWith: "firstWrite", steps: [] } }),
    createClient(counted, { fieldManager: "test" }),
  );
  deepEqual((await read())?.metadata.finalizers, [finalizer]);
  return writes;
}

const firstWriteRows: readonly { name: string; work: (run: Run<Widget>) => Promise<void>; want: readonly string[] }[] = [
  {
    name: "comes with the labels that a step sets",
    work: async (run) => await run.patchMetadata({ labels: { a: "b" } }, signal),
    want: ["finalizers labels", "status"],
  },
  {
    name: "is there before an intent is stored",
    work: async (run) => await run.saveStatus(signal, waiting("Slow", "…")),
    want: ["finalizers", "status", "status"],
  },
  {
    name: "comes when a step asks for it, once",
    work: async (run) => await run.addFinalizer(signal),
    want: ["finalizers", "status"],
  },
  {
    name: "is there at the end of a run that has written nothing before",
    work: async () => undefined,
    want: ["finalizers", "status"],
  },
];
for (const { name, work, want } of firstWriteRows)
  test(`a finalizer that comes with the first write ${name}`, async () => deepEqual(await firstWrites(work), want));

test("a finalizer that comes with the labels overwrites nobody else's", async () => {
  const { run, client } = await bench();
  const kind = kindOf(
    [
      step(async ({ patchMetadata }) => {
        await client.patch(widgets, key, { metadata: { finalizers: ["other.dev/f"] } }, signal);
        await patchMetadata({ labels: { color: "blue" } }, signal);
        return done();
      }),
    ],
    { cleanUp: { finalizer: "testing.kube-runtime.dev/clean", comesWith: "firstWrite", steps: [] } },
  );
  await rejects(run(kind), (error: unknown) => isApiError(error, "conflict"));
});

test("a clean-up that throws keeps the finalizer", async () => {
  const finalizer = "testing.kube-runtime.dev/clean";
  const { run, read, client } = await bench({ finalizers: [finalizer] });
  await client.delete(widgets, key, signal);
  const result = await run(
    kindOf([], {
      cleanUp: {
        finalizer,
        steps: [
          {
            name: "empty",
            run: async () => {
              throw new Error("the engine does not answer");
            },
          },
        ],
      },
    }),
  );
  equal(result.kind, "failed");
  ok((await read())?.metadata.finalizers?.includes(finalizer));
});

test("somebody else's finalizers are left alone", async () => {
  const finalizer = "testing.kube-runtime.dev/clean";
  const { run, read, client } = await bench({ finalizers: ["other.dev/f"] });
  const kind = kindOf([], { cleanUp: { finalizer, steps: [] } });
  await run(kind);
  deepEqual((await read())?.metadata.finalizers, ["other.dev/f", finalizer]);
  await client.delete(widgets, key, signal);
  await run(kind);
  deepEqual((await read())?.metadata.finalizers, ["other.dev/f"]);
});

test("an intent is stored before the effect, and the result after it", async () => {
  const { run, read } = await bench();
  let stored: string | undefined;
  await run(
    kindOf([
      step(async (ctx, own) => {
        ctx.status.intent = "copy-1";
        await ctx.saveStatus(own);
        stored = (await read())?.status?.intent;
        ctx.status.copies = 1;
        return done();
      }),
    ]),
  );
  equal(stored, "copy-1");
  equal((await read())?.status?.copies, 1);
});

test("an intent tells what its step comes to: the run that ends so writes nothing more, and has its event all the same", async () => {
  const { run, read, events } = await bench();
  const unmet = waiting("Copying", "the copy is under way");
  const stored: unknown[] = [];
  const before = step(async () => done());
  const kind = kindOf(
    [
      before,
      {
        name: "fill",
        condition: "Filled",
        run: async (ctx, own) => {
          ctx.status.intent = "copy-1";
          await ctx.saveStatus(own, unmet);
          const { metadata, status } = (await read()) ?? {};
          stored.push(
            metadata?.resourceVersion,
            status?.conditions?.map(({ type, reason }) => `${type} ${reason}`),
            status?.phase,
          );
          return unmet;
        },
      },
    ],
    {
      conditions: [
        { type: "Made", reason: "Made", message: "it is made" },
        { type: "Filled", reason: "Filled", message: "it is filled" },
      ],
      phase: (conditions) => conditions.find(({ type }) => type === "Filled")?.reason ?? "",
    },
  );
  await run(kind);
  const told = ["Ready Copying", "Reconciling Copying", "Made Made", "Filled Copying"];
  deepEqual(stored, [(await read())?.metadata.resourceVersion, told, "Copying"]);
  deepEqual(
    events.map(({ reason }) => reason),
    ["Made", "Copying"],
  );
});

test("a change of the spec meanwhile does not lose what was found out; it counts for the generation it was found out about", async () => {
  const { run, read, client } = await bench();
  await run(
    kindOf([
      step(async ({ status }) => {
        status.copies = 3;
        await client.patch(widgets, key, { spec: { size: 2 } }, signal);
        return done();
      }),
    ]),
  );
  const found = await read();
  deepEqual([found?.status?.copies, found?.status?.observedGeneration, found?.metadata.generation], [3, 1, 2]);
});

test("after a change of its own the status is written at once, without a conflict", async () => {
  const { run, read, api, client } = await bench();
  const calls: string[] = [];
  const counted = interceptApi(api, {
    call: async (call, next) => {
      calls.push(`${call.verb} ${call.subresource ?? ""}`.trim());
      return await next();
    },
  });
  const kind = kindOf([
    step(async ({ status, patchMetadata, saveStatus }) => {
      await patchMetadata({ labels: { color: "blue" } }, signal);
      status.copies = 3;
      await saveStatus(signal);
      return done();
    }),
  ]);
  await run(kind, createClient(counted, { fieldManager: "test" }));
  deepEqual(calls, ["patch", "patch status", "patch status"]);
  const { metadata, status } = (await read()) ?? (await client.get(widgets, key, signal));
  deepEqual([metadata.labels, status?.copies], [{ color: "blue" }, 3]);
});

test("a change of the status by somebody else meanwhile is a conflict, not overwritten", async () => {
  const { run, client } = await bench();
  const kind = kindOf([
    step(async ({ status }) => {
      status.copies = 3;
      await client.patchStatus(widgets, key, { status: { copies: 9 } }, signal);
      return done();
    }),
  ]);
  await rejects(run(kind), (error: unknown) => isApiError(error, "conflict"));
});

test("an object made anew under the same name never gets the old one's status", async () => {
  const { run, read, client } = await bench();
  const kind = kindOf([
    step(async () => {
      await client.delete(widgets, key, signal);
      await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
      return done();
    }),
  ]);
  await rejects(run(kind), (error: unknown) => isApiError(error, "conflict"));
  equal((await read())?.status, undefined);
});

test("an object that is gone when status is written is nobody to tell", async () => {
  const { run, client } = await bench();
  deepEqual(
    await run(
      kindOf([
        step(async () => {
          await client.delete(widgets, key, signal);
          return done();
        }),
      ]),
    ),
    { kind: "done" },
  );
});

test("a finished object is neither run nor written to", async () => {
  const { run, read } = await bench();
  const before = await read();
  deepEqual(await run(kindOf([step(async () => terminal("Never", "must not run"))], { finished: () => true })), { kind: "done" });
  deepEqual(await read(), before);
});

test("when observing fails, it is said in the summary and every condition stays as it was", async () => {
  const { run, read, events } = await bench();
  const kind = kindOf([step(async () => done())]);
  await run(kind);
  await run({
    ...kind,
    observe: async () => {
      throw new ApiError({ kind: "unavailable" }, "get secrets n/s: no answer");
    },
  });
  const conditions = (await read())?.status?.conditions ?? [];
  deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ["Ready", "False", "ApiServerUnavailable"],
      ["Reconciling", "True", "ApiServerUnavailable"],
      ["Made", "True", "Made"],
    ],
  );
  match(events.at(-1)?.message ?? "", /no answer/u);
});

test("a failed status write is a failed run", async () => {
  const { run, api } = await bench();
  const broken = createClient(
    interceptApi(api, {
      call: async (call, next) => {
        if (call.subresource === "status") throw new ApiError({ kind: "unavailable" }, "on purpose");
        return next();
      },
    }),
    { fieldManager: "test" },
  );
  await rejects(run(kindOf([step(async () => done())]), broken), (error: unknown) => isApiError(error, "unavailable"));
});

const fail = async (): Promise<never> => {
  throw new Error("ECONNREFUSED");
};

test("an error that the kind explains is an outcome, thrown by a step or by observe", async () => {
  const rows = [
    {
      explained: terminal("KeyRefused", "set another key", { recheckSeconds: 5 }),
      want: { kind: "terminal", recheckSeconds: 5 },
    },
    { explained: retry("EngineDown", "start the engine"), want: { kind: "after", seconds: 1 } },
  ] as const;
  for (const { explained, want } of rows) {
    const { run, read } = await bench();
    const explain = (error: unknown) => (error instanceof Error && error.message === "ECONNREFUSED" ? explained : undefined);
    deepEqual(await run(kindOf([step(fail)], { explain })), want);
    deepEqual(await run(kindOf([], { observe: fail, explain })), want);
    equal((await read())?.status?.conditions?.[0]?.reason, explained.reason);
  }
});

test("what is done can ask for another look, and the steps behind it run; the earliest look of a run counts", async () => {
  const { run } = await bench();
  const password = step(async () => done({ recheckSeconds: 30 }));
  deepEqual(await run(kindOf([password, step(async () => done())])), { kind: "done", recheckSeconds: 30 });
  deepEqual(await run(kindOf([password, step(async () => waiting("Starting", "the pod starts"))])), {
    kind: "waiting",
    recheckSeconds: 30,
  });
  deepEqual(await run(kindOf([password, step(async () => after(60, "Slow", "…"))])), { kind: "after", seconds: 30 });
  deepEqual(await run(kindOf([password, step(async () => after(2, "Slow", "…"))])), { kind: "after", seconds: 2 });
});

test("the kind's back-off is asked with how long the same reason has lasted, until every step is done", async () => {
  const { run, clock, client } = await bench();
  const looks: number[] = [];
  let outcome: Outcome = terminal("NoSource", "name another", { backOff: true });
  const kind = kindOf([step(async () => outcome)], { backOff: (seconds) => (looks.push(seconds), 1 + seconds) });
  deepEqual(await run(kind), { kind: "terminal", recheckSeconds: 1 });
  await clock.advance(4000);
  deepEqual(await run(kind), { kind: "terminal", recheckSeconds: 5 });
  outcome = terminal("NoSource", "name another", { backOff: true, mostSeconds: 3 });
  deepEqual(await run(kind), { kind: "terminal", recheckSeconds: 3 }, "no later than the step says");
  outcome = after(2, "Starting", "…");
  await run(kind);
  await clock.advance(2000);
  outcome = terminal("NoSource", "name another", { backOff: true });
  deepEqual(await run(kind), { kind: "terminal", recheckSeconds: 7 }, "what came in between disproved nothing");
  outcome = retry("EngineDown", "start the engine");
  deepEqual(await run(kind), { kind: "after", seconds: 1 }, "another reason begins anew");
  await clock.advance(9000);
  await run(kindOf([step(async () => done())]));
  deepEqual(await run(kind), { kind: "after", seconds: 1 }, "it was overcome in between");
  await clock.advance(9000);
  await client.delete(widgets, key, signal);
  await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
  deepEqual(await run(kind), { kind: "after", seconds: 1 }, "another object of the same name");
});

test("a step learns what the back-off would come to, and asking begins nothing", async () => {
  const { run, clock } = await bench();
  const asked: number[] = [];
  const kind = kindOf([
    step(async (ctx) => {
      asked.push(ctx.backOffSeconds("Crashing"), ctx.backOffSeconds("Other"));
      return retry("Crashing", "…");
    }),
  ]);
  for (const ms of [0, 8000, 100_000]) {
    await clock.advance(ms);
    await run(kind);
  }
  deepEqual(asked, [1, 1, 8, 1, 60, 1]);
});

test("marks last from run to run, and not to another object of the same name", async () => {
  const { run, client } = await bench();
  const seen: (number | undefined)[] = [];
  const kind = kindOf([
    step(async ({ marks, clock }) => {
      seen.push(marks.get("begun"));
      marks.set("begun", clock.monotonic());
      return done();
    }),
  ]);
  await run(kind);
  await run(kind);
  await client.delete(widgets, key, signal);
  await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
  await run(kind);
  deepEqual(seen, [undefined, 0, undefined]);
});

const named = (condition: string): Step<Run<Widget>> => ({ name: condition, condition, run: async () => done() });

test("a plan keeps conditions that none of its steps sets, word for word; others are dropped", async () => {
  const { run, read, client } = await bench();
  const conditions = [
    { type: "Made", reason: "Made", message: "it is made" },
    { type: "Filled", reason: "Filled", message: "it is filled" },
  ];
  await run(kindOf([named("Made"), named("Filled")], { conditions }));
  const made = (await read())?.status?.conditions?.find(({ type }) => type === "Made");
  await client.patch(widgets, key, { spec: { size: 2 } }, signal);
  await run(kindOf([], { conditions, steps: () => ({ steps: [], keep: ["Made", "NeverSet"] }) }));
  const left = (await read())?.status?.conditions ?? [];
  deepEqual(
    left.map(({ type }) => type),
    ["Ready", "Made"],
  );
  deepEqual(left[1], made, "with the generation it was found out about");
});

test("the phase sees the status as this run leaves it", async () => {
  const { run, read } = await bench();
  const count = step(async ({ status }) => {
    status.copies = 3;
    return done();
  });
  await run(kindOf([count], { phase: (_conditions, { copies = 0 }, { spec }) => `${copies} of ${spec.size ?? 0}` }));
  equal((await read())?.status?.phase, "3 of 1");
});

test("a thing that ends: Succeeded is absent until the end, and then agrees with Ready or Stalled", async () => {
  const rows: { outcome: Outcome; want: readonly string[] }[] = [
    { outcome: after(1, "Working", "…"), want: ["Ready False Working", "Reconciling True Working"] },
    { outcome: waiting("Queued", "…"), want: ["Ready False Queued", "Reconciling True Queued"] },
    { outcome: done(), want: ["Ready True Completed", "Succeeded True Completed"] },
    {
      outcome: terminal("HookFailed", "…"),
      want: ["Ready False HookFailed", "Succeeded False HookFailed", "Stalled True HookFailed"],
    },
  ];
  for (const { outcome, want } of rows) {
    const { run, read } = await bench();
    await run(kindOf([{ name: "work", run: async () => outcome }], { conditions: [], summary: endingSummary }));
    deepEqual(
      (await read())?.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
      want,
    );
  }
});

test("a finished object that is deleted is cleaned up, and its status stays as it ended", async () => {
  const finalizer = "testing.kube-runtime.dev/clean";
  const { run, read, client } = await bench({ finalizers: [finalizer] });
  await client.delete(widgets, key, signal);
  const before = await read();
  let clean = false;
  const kind = kindOf([], {
    finished: () => true,
    cleanUp: { finalizer, steps: [{ name: "empty", run: async () => (clean ? done() : waiting("NotEmpty", "…")) }] },
  });
  deepEqual(await run(kind), { kind: "waiting" });
  deepEqual(await read(), before);
  clean = true;
  deepEqual(await run(kind), { kind: "gone" });
});

test("words of what is under way are told a second late, or with the next change that is more, or not at all", async () => {
  const { run, read, clock, events } = await bench();
  let [copies, saves, outcome]: [number, boolean, Outcome] = [0, false, waiting("Starting", "one")];
  const kind = kindOf(
    [
      step(async ({ status, saveStatus }, runSignal) => {
        status.copies = copies;
        if (saves) await saveStatus(runSignal);
        return outcome;
      }),
    ],
    { onlyTells: (stored, next) => stored.copies === next.copies },
  );
  const told = async () => (await read())?.status?.conditions?.find(({ type }) => type === "Made")?.message;
  deepEqual([await run(kind), await told()], [{ kind: "waiting" }, "one"]);
  outcome = waiting("Starting", "two");
  deepEqual([await run(kind), await told()], [{ kind: "waiting", recheckSeconds: 1 }, "one"]);
  await clock.advance(400);
  outcome = after(5, "Starting", "three");
  deepEqual(
    [await run(kind), await told()],
    [{ kind: "after", seconds: 0.6 }, "one"],
    "the second counts from the first of them",
  );
  await clock.advance(600);
  deepEqual([await run(kind), await told()], [{ kind: "after", seconds: 5 }, "three"]);
  outcome = after(5, "Starting", "four");
  await run(kind);
  copies = 1;
  deepEqual([await run(kind), await told()], [{ kind: "after", seconds: 5 }, "four"], "it goes with what is more");
  outcome = waiting("Starting", "five");
  deepEqual([await run(kind), await told()], [{ kind: "waiting", recheckSeconds: 1 }, "four"], "another second for other words");
  await clock.advance(500);
  [saves, copies] = [true, 2];
  deepEqual(
    [await run(kind), await told()],
    [{ kind: "waiting", recheckSeconds: 0.5 }, "four"],
    "a record that is stored tells nothing",
  );
  outcome = terminal("Broken", "six");
  await run(kind);
  equal(await told(), "six", "an end is told at once");
  deepEqual(
    events.map(({ reason }) => reason),
    ["Starting", "Broken"],
  );
});
