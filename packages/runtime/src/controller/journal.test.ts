import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { interceptApi } from "../client/intercept.ts";
import { isTrue } from "../objects/conditions.ts";
import { silentLog } from "../support/log.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { type Widget, widgets } from "../testing/widget.ts";
import { beginsNothing, createJournal, type JournalEntry, type JournalStep, journalPhase } from "./journal.ts";
import type { ControlledKind, Run } from "./kind.ts";
import { createObjectMemories } from "./object-memory.ts";
import { done, type Outcome, type Unmet, waiting } from "./outcome.ts";
import { runKind, type SkeletonResult } from "./skeleton.ts";
import { endingSummary } from "./summary.ts";

const key = { namespace: "n", name: "w" };
const signal = new AbortController().signal;
const requestTimeoutSeconds = 20;

/** What becomes of one call, of those to the API server and those to the office together. */
type Fault = "unsent" | "answer lost" | "arrives late" | "crash before" | "crash after";
const faults: readonly Fault[] = ["unsent", "answer lost", "arrives late", "crash before", "crash after"];

class Crash extends Error {}

type Plan = (number: number, what: string) => Fault | undefined;
type Call = <T>(what: string, work: () => T | Promise<T>) => Promise<T>;

/** The outside: it does what it is told, under the name that it is told, as often as it is told. */
interface Office {
  /** Every effect in the order in which it was had, with a minus when it was taken back. */
  readonly ledger: string[];
  /** Calls that arrive at a later moment. */
  readonly underWay: { readonly atMs: number; readonly arrive: () => void }[];
}

interface World {
  readonly clock: VirtualClock;
  /** What the outside has done, once nothing is under way to it any more. */
  readonly ledger: () => Promise<readonly string[]>;
  /** Every version of the status that was stored, in order. */
  readonly stored: (Widget["status"] & object)[];
  readonly read: () => Promise<Widget>;
  /** One life of a process: runs until the widget has ended, or the process dies. Gives the number of its calls. */
  readonly live: (plan?: Plan, undo?: boolean) => Promise<number>;
}

async function makeWorld(): Promise<World> {
  const api = memoryApi({ takesTurns: false });
  const direct = createClient(api, { fieldManager: "test" });
  const clock = createVirtualClock();
  const office: Office = { ledger: [], underWay: [] };
  const stored: World["stored"] = [];
  await direct.create(widgets, { metadata: key, spec: {} }, signal);
  const read = (): Promise<Widget> => direct.get(widgets, key, signal);
  const note = async (): Promise<void> => {
    const { status } = await read();
    if (status !== undefined && JSON.stringify(status) !== JSON.stringify(stored.at(-1))) stored.push(status);
  };
  const deliver = (): void => {
    for (const late of office.underWay.splice(0)) {
      if (late.atMs <= clock.monotonic()) late.arrive();
      else office.underWay.push(late);
    }
  };
  return {
    clock,
    stored,
    read,
    ledger: async () => {
      await clock.advance(60_000);
      deliver();
      return office.ledger;
    },
    live: async (plan = () => undefined, undo = false) => {
      const state = { calls: 0, dead: false };
      const die = (): never => {
        state.dead = true;
        throw new Crash("this process has died in the test");
      };
      const call: Call = async (what, work) => {
        if (state.dead) die();
        state.calls += 1;
        deliver();
        const fault = plan(state.calls, what);
        if (fault === "crash before") die();
        if (fault === "unsent") throw new ApiError({ kind: "unavailable" }, "no connection");
        if (fault === "arrives late") {
          office.underWay.push({
            atMs: clock.monotonic() + requestTimeoutSeconds * 1000 - 1,
            arrive: () => void Promise.resolve(work()).catch(() => undefined),
          });
          throw new ApiError({ kind: "timeout" }, "no answer in time");
        }
        const answer = await work();
        await note();
        if (fault === "answer lost") throw new ApiError({ kind: "timeout" }, "the answer was lost");
        if (fault === "crash after") die();
        return answer;
      };
      const through = interceptApi(api, { call: (_call, next) => call("api", next) });
      const parts = {
        client: createClient(through, { fieldManager: "test" }),
        events: { record: () => undefined, flush: async () => undefined },
        clock,
        memories: createObjectMemories(),
      };
      const kind = kindOf(call, office, parts.client, undo);
      for (let runs = 0; runs < 60 && !state.dead; runs += 1) {
        const object = await read();
        if (kind.finished?.(object) === true) return state.calls;
        await clock.advance(waitMs(await runKind(kind, parts, { key, object, id: "1", log: silentLog }, signal).catch(failed)));
      }
      ok(state.dead, "it never comes to its end");
      return state.calls;
    },
  };
}

const failed = (error: unknown): SkeletonResult => ({ kind: "failed", error });
function waitMs(result: SkeletonResult): number {
  if (result.kind === "after") return result.seconds * 1000;
  return result.kind === "failed" ? 1000 : 0;
}

/** Copy, check and ship: three effects, each had under its intent and found by it again. */
function kindOf(call: Call, { ledger }: Office, client: Client, undo: boolean): ControlledKind<Widget, Run<Widget>> {
  const step = (name: string, phase: string): JournalStep<Run<Widget>> => ({
    name,
    phase,
    intend: ({ object }) => `${object.metadata.name}-${name}`,
    awaits: () => (name === "ship" ? waiting("Shipping", "the ship is under way") : undefined),
    look: (_run, intent) => call("look", () => (ledger.includes(intent) ? `job of ${intent}` : undefined)),
    begin: async (_run, intent) => {
      const { status } = await client.get(widgets, key, signal);
      equal(status?.steps?.find((entry) => entry.name === name)?.intent, intent, "no effect without a stored intent");
      return await call("begin", () => {
        ledger.push(intent);
        return `job of ${intent}`;
      });
    },
    end: (_run, effect) =>
      call("end", () => (ledger.includes(effect.slice(7)) ? done() : waiting("Working", `${effect} is not there`))),
    undo: (_run, effect) =>
      call("undo", () => {
        const undone = `-${effect.slice(7)}`;
        if (!ledger.includes(undone)) ledger.push(undone);
        return done();
      }),
  });
  const journal = createJournal([step("copy", "Copying"), step("check", "Copying"), step("ship", "Shipping")], {
    runOf: (run) => run,
    requestTimeoutSeconds,
    provesNoEffect: (error) => error instanceof TypeError,
  });
  return {
    name: "widget",
    resource: widgets,
    conditions: [],
    observe: async (run) => run,
    steps: undo ? journal.undoSteps : journal.steps,
    summary: endingSummary,
    finished: ({ status }) => status?.phase === "Completed",
    phase: (conditions, { steps }) => (isTrue(conditions, "Succeeded") ? "Completed" : (journalPhase(steps) ?? "Pending")),
  };
}

const phases = ["Pending", "Copying", "Shipping", "Completed"];
const effects = ["w-copy", "w-check", "w-ship"];
const shown = ({ name, effect, completionTime }: JournalEntry): string =>
  `${name}${effect === undefined ? "" : " begun"}${completionTime === undefined ? "" : " done"}`;

test("an intent is stored before its effect; one step's end and the next one's intent are one write", async () => {
  const { live, stored, read } = await makeWorld();
  await live();
  deepEqual(
    stored.map(({ phase, steps = [] }) => [phase, ...steps.map(shown)]),
    [
      ["Copying", "copy"],
      ["Copying", "copy begun done", "check"],
      ["Shipping", "copy begun done", "check begun done", "ship"],
      ["Completed", "copy begun done", "check begun done", "ship begun done"],
    ],
  );
  deepEqual(
    stored.map(({ conditions = [] }) => conditions[0]?.reason),
    ["Pending", "Pending", "Shipping", "Completed"],
  );
  const entry = (await read()).status?.steps?.[0];
  deepEqual(
    [entry?.phase, entry?.intent, entry?.effect, entry?.startTime],
    ["Copying", "w-copy", "job of w-copy", "2026-01-01T00:00:00Z"],
  );
});

test("whatever fails or dies at whatever call, each effect is had once, and the phase never goes back", async () => {
  const calls = await (await makeWorld()).live();
  ok(calls >= 12, `${calls} calls`);
  for (const fault of faults)
    for (const many of [1, 4])
      for (let number = 1; number <= calls; number += 1) {
        const world = await makeWorld();
        const at = `${many} × ${fault} from call ${number}`;
        await world.live((now) => (now >= number && now < number + many ? fault : undefined));
        await world.live();
        deepEqual(await world.ledger(), effects, at);
        const seen = world.stored.map(({ phase = "Pending" }) => phases.indexOf(phase));
        deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
          `${at}: ${world.stored.map(({ phase }) => phase).join(" ")}`,
        );
        equal((await world.read()).status?.phase, "Completed", at);
      }
});

test("a call that arrives after its process has died is waited for, not made twice", async () => {
  const calls = await (await makeWorld()).live();
  for (let number = 1; number <= calls; number += 1) {
    const world = await makeWorld();
    await world.live((now) => {
      if (now === number) return "arrives late";
      return now > number ? "crash before" : undefined;
    });
    await world.live();
    deepEqual(await world.ledger(), effects, `from call ${number}`);
  }
});

test("as long as nobody answers whether it has begun, it is not begun", async () => {
  const world = await makeWorld();
  await world.live((now) => (now === 2 ? "crash after" : undefined)); // its intent is stored
  deepEqual(world.stored.at(-1)?.steps?.map(shown), ["copy"]);
  await world.live((now, what) => {
    if (now === 40) return "crash before";
    return what === "look" ? "unsent" : undefined;
  });
  deepEqual(await world.ledger(), []);
  await world.live();
  deepEqual(await world.ledger(), effects);
});

test("what was begun is taken back, the last first; what was not is left alone", async () => {
  const calls = await (await makeWorld()).live();
  for (let number = 1; number < calls; number += 1)
    for (const fault of ["crash after", "arrives late"] as const) {
      const world = await makeWorld();
      await world.live((now) => {
        if (now === number) return fault;
        return now > number ? "crash before" : undefined;
      });
      const undone = await world.live(undefined, true).then(() => world.read());
      const begun = (await world.ledger()).filter((line) => !line.startsWith("-"));
      deepEqual(await world.ledger(), [...begun, ...begun.toReversed().map((line) => `-${line}`)], `${fault} at call ${number}`);
      ok((undone.status?.steps ?? []).every(({ undoneTime }) => undoneTime !== undefined));
    }
});

async function halfDone(): Promise<World> {
  const world = await makeWorld();
  const calls = await (await makeWorld()).live();
  await world.live((now) => (now === calls ? "crash before" : undefined)); // all is had, and its end is not stored
  return world;
}

test("taking back is itself taken up again after whatever fails or dies", async () => {
  const calls = await (await halfDone()).live(undefined, true);
  for (const fault of faults)
    for (let number = 1; number <= calls; number += 1) {
      const world = await halfDone();
      await world.live((now) => (now === number ? fault : undefined), true);
      await world.live(undefined, true);
      deepEqual(await world.ledger(), [...effects, "-w-ship", "-w-check", "-w-copy"], `${fault} at call ${number}`);
    }
});

test("an error that proves that nothing was begun costs no waiting", async () => {
  const clock = createVirtualClock();
  const marks = new Map<string, number>();
  const reported = { type: "Ready", status: "False" as const, reason: "Pending", message: "…", lastTransitionTime: "" };
  const status: { conditions: (typeof reported)[]; steps?: { name: string; startTime?: string; completionTime?: string }[] } = {
    conditions: [reported],
  };
  const run = { status, clock, marks, saveStatus: async () => undefined };
  const errors = [new TypeError("refused"), new Error("no answer")];
  const asked: string[] = [];
  const journal = createJournal<undefined>(
    [
      {
        name: "copy",
        phase: "Copying",
        intend: () => "copy",
        look: async () => void asked.push("look"),
        begin: async () => {
          asked.push("begin");
          const error = errors.shift();
          if (error !== undefined) throw error;
          return "job";
        },
        end: async () => done(),
      },
    ],
    { runOf: () => run, requestTimeoutSeconds, provesNoEffect: (error) => error instanceof TypeError },
  );
  const attempt = async (): Promise<Outcome | string | undefined> =>
    journal.steps[0]?.run(undefined, signal).catch((error: unknown) => String(error));
  equal(await attempt(), "TypeError: refused");
  equal(await attempt(), "Error: no answer");
  deepEqual(asked, ["begin", "begin"]);
  const young = await attempt();
  ok(typeof young === "object" && young.kind === "after");
  match(young.message, /copy/u);
  deepEqual(young.again, { recheckSeconds: 20 });
  await clock.advance(20_000);
  deepEqual(await attempt(), done());
  deepEqual(asked, ["begin", "begin", "look", "look", "begin"]);
  const [entry] = status.steps ?? [];
  ok(Date.parse(entry?.completionTime ?? "") >= Date.parse(entry?.startTime ?? ""));
});

test("what a step lacks is waited for with its intent stored, and only where nothing has begun", async () => {
  const clock = createVirtualClock();
  const status: { conditions?: []; steps?: { name: string }[] } = {};
  const told: string[] = [];
  const run = {
    status,
    clock,
    marks: new Map<string, number>(),
    saveStatus: async () => void told.push(`${status.steps?.length} stored`),
  };
  let lacking: Unmet | undefined = waiting("Running", "the server shuts down");
  const elsewhere: { effect?: string } = {};
  const [change] = createJournal<undefined>(
    [
      {
        name: "change",
        phase: "Changing",
        intend: () => "change",
        lacks: () => lacking,
        look: async () => elsewhere.effect,
        begin: async () => {
          told.push("begin");
          return "job";
        },
        end: async () => done(),
      },
    ],
    { runOf: () => run, requestTimeoutSeconds },
  ).steps;
  for (let turn = 0; turn < 2; turn += 1) deepEqual(await change?.run(undefined, signal), lacking);
  deepEqual(told, ["1 stored"]);
  const [left] = structuredClone(status.steps ?? []);
  lacking = undefined;
  deepEqual(await change?.run(undefined, signal), done());
  deepEqual(told, ["1 stored", "begin"]);
  // Another process finds it begun, and what was lacking then is history.
  status.steps = left === undefined ? [] : [left];
  run.marks.clear();
  lacking = waiting("Running", "nothing is held any more");
  elsewhere.effect = "job";
  deepEqual(await change?.run(undefined, signal), done());
  deepEqual(told, ["1 stored", "begin"]);
});

test("a step that begins nothing has its intent as its effect, and a quiet one is stored with what follows", async () => {
  const clock = createVirtualClock();
  const status: { conditions?: []; steps?: { name: string; effect?: string; completionTime?: string }[] } = {};
  const stored: string[] = [];
  const saveStatus = async (_: AbortSignal, comesTo?: { readonly reason: string }): Promise<void> =>
    void stored.push([...(status.steps ?? []).map(shown), comesTo?.reason ?? "untold"].join(", "));
  const run = { status, clock, marks: new Map<string, number>(), saveStatus };
  const step = { phase: "Working", ...beginsNothing, intend: () => "it", end: async () => done() };
  const journal = createJournal<undefined>(
    [
      { ...step, name: "hooks", isQuiet: () => true },
      { ...step, name: "wait" },
      { ...step, name: "tidy", isQuiet: () => true },
    ],
    { runOf: () => run, requestTimeoutSeconds },
  );
  for (const one of journal.steps) deepEqual(await one.run(undefined, signal), done());
  deepEqual(
    stored,
    ["hooks begun done, wait begun, Pending"],
    "the last one's end is written with the status that tells the end",
  );
});

test("what a step does beside the write of its intent does not wait for it, and nothing goes on before both", async () => {
  const clock = createVirtualClock();
  const status: { conditions?: []; steps?: { name: string }[] } = {};
  const told: string[] = [];
  const saveStatus = async (): Promise<void> => {
    told.push(`write ${status.steps?.at(-1)?.name}`);
    await new Promise(setImmediate);
    if (!told.includes("hold, refused")) told.push("written");
  };
  const run = { status, clock, marks: new Map<string, number>(), saveStatus };
  const step = { phase: "Working", ...beginsNothing, intend: () => "it", end: async () => done() };
  const outcomes: string[] = [];
  const beside = async (): Promise<void> => {
    told.push(outcomes.length === 0 ? "hold" : "hold, refused");
    if (outcomes.length > 0) throw new Error("refused");
  };
  const journal = createJournal<undefined>(
    [
      { ...step, name: "prepare" },
      { ...step, name: "hold", beside },
    ],
    {
      runOf: () => run,
      requestTimeoutSeconds,
    },
  );
  const [prepare] = journal.steps;
  await prepare?.run(undefined, signal);
  deepEqual(told, ["write prepare", "written", "write hold", "hold", "written"]);
  outcomes.push("the next one fails");
  delete status.steps;
  await rejects(async () => await prepare?.run(undefined, signal), /refused/u);
  equal(told.at(-1), "hold, refused");
});

const entry = (phase: string, completionTime?: string): JournalEntry => ({
  name: phase,
  phase,
  ...(completionTime === undefined ? {} : { completionTime }),
});

test("the phase is that of the first step that is not done", () => {
  equal(journalPhase(undefined), undefined);
  equal(journalPhase([]), undefined);
  equal(journalPhase([entry("A", "now"), entry("B"), entry("C")]), "B");
  equal(journalPhase([entry("A", "now"), entry("B", "now")]), "B", "the end is told by the conditions");
});
