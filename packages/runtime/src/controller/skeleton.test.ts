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
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import type { ControlledKind, Run, Step } from "./kind.ts";
import { after, done, terminal, waiting } from "./outcome.ts";
import { runKind, type SkeletonResult } from "./skeleton.ts";

const key = { namespace: "n", name: "w" };
const signal = new AbortController().signal;

interface Bench {
  readonly api: MemoryApi;
  readonly client: Client;
  readonly events: RecordedEvent[];
  readonly read: () => Promise<Widget | undefined>;
  readonly run: (kind: ControlledKind<Widget, Run<Widget>>, client?: Client, signal?: AbortSignal) => Promise<SkeletonResult>;
}

async function bench(metadata: object = {}): Promise<Bench> {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  await client.create(widgets, { metadata: { ...key, ...metadata }, spec: { size: 1 } }, signal);
  const events: RecordedEvent[] = [];
  const recorder = { record: (_object: unknown, event: RecordedEvent) => void events.push(event), flush: async () => undefined };
  const read = (): Promise<Widget | undefined> => client.find(widgets, key, signal);
  return {
    api,
    client,
    events,
    read,
    run: async (kind, through = client, runSignal = signal) => {
      const parts = { client: through, events: recorder, clock: createVirtualClock() };
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
      { explain: () => ({ reason: "EngineDown", message: "start the engine" }) },
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
  await run(kind);
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
