import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  type ControlledKind,
  createClient,
  createJournal,
  createManager,
  done,
  endingSummary,
  interceptApi,
  type JournalStep,
  type Run,
  type RunResult,
  retry,
  silentLog,
  terminal,
} from "kube-runtime";
import { CrashedError, createVirtualClock, memoryApi } from "kube-runtime/testing";
import { type PostgresRefresh, postgresRefresh } from "../actions/refreshes.ts";
import { refreshPhases } from "../actions/status-fields.ts";
import { decode } from "../decode.ts";
import { resourceOf } from "../resource.ts";
import { brokenLaws } from "./laws.ts";
import { actionPhase, isFinished } from "./phase.ts";

/**
 * A refresh of three journalled steps as the operator's actions are made, under an outage of the API server or of DCT at every
 * call that it makes: whatever anybody can read at any moment keeps every law.
 */

const refreshes = resourceOf(postgresRefresh);
const key = { namespace: "shop", name: "orders-refresh" };
const aRefresh = {
  apiVersion: "actions.delphix.com/v1alpha1",
  kind: "PostgresRefresh",
  metadata: { ...key, uid: "1", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { vdbRef: { name: "orders" } },
};
const signal = new AbortController().signal;

class DctDown extends Error {}

/** DCT: jobs by the name that their step intends, each done when it is asked for the second time. */
interface Dct {
  readonly started: string[];
  readonly asked: Map<string, number>;
}

type Fault = "unsent" | "answer lost" | "crash before" | "crash after";
/** What happens to a call, by its number; `to` is the one it goes to. */
type Plan = (number: number, to: "api" | "dct") => Fault | undefined;
type Call = <T>(to: "api" | "dct", work: () => T | Promise<T>) => Promise<T>;

const phases = ["PreRefresh", "Refreshing", "Finalizing"] as const;

function refreshKind(
  call: Call,
  dct: Dct,
  lastJob: "ends well" | "fails",
): ControlledKind<PostgresRefresh, Run<PostgresRefresh>> {
  const step = (phase: (typeof phases)[number]): JournalStep<Run<PostgresRefresh>> => ({
    name: phase.toLowerCase(),
    phase,
    intend: ({ object }) => `${object.metadata.uid}-${phase}`,
    look: (_run, intent) => call("dct", () => (dct.started.includes(intent) ? intent : undefined)),
    begin: (_run, intent) =>
      call("dct", () => {
        dct.started.push(intent);
        return intent;
      }),
    end: async (_run, job) => {
      const asked = await call("dct", () => dct.asked.set(job, (dct.asked.get(job) ?? 0) + 1).get(job) ?? 0);
      if (asked < 2) return retry(phase, `the job ${job} is under way`);
      if (phase === "Finalizing" && lastJob === "fails") return terminal("StorageFailed", `the job ${job} has failed`);
      return done();
    },
  });
  const journal = createJournal(phases.map(step), { runOf: (run) => run, requestTimeoutSeconds: 30 });
  let turn = 0;
  const takeTurn = {
    name: "takeTurn",
    run: async () => ((turn += 1) > 1 ? done() : retry("Queued", "waits behind VDBSnapshot monday")),
  };
  return {
    name: "postgresrefresh",
    resource: refreshes,
    conditions: [],
    observe: async (run) => run,
    steps: [takeTurn, ...journal.steps],
    explain: (error) => (error instanceof DctDown ? retry("StorageFailed", "DCT does not answer") : undefined),
    finished: isFinished,
    summary: (result, run) => {
      if (result.outcome.kind === "done" || result.outcome.kind === "terminal") tellEnd(result, run);
      return endingSummary(result);
    },
    phase: (conditions, { steps }) => actionPhase(conditions, steps, refreshPhases),
  };
}

function tellEnd({ outcome }: RunResult<unknown>, { status, clock }: Run<PostgresRefresh>): void {
  const now = new Date(clock.now()).toISOString();
  status.startTime = status.steps?.[0]?.startTime ?? now;
  status.completionTime = now;
  if (outcome.kind === "terminal") status.lastError = outcome.message;
}

interface World {
  readonly dct: Dct;
  /** Laws that were broken by what was stored, in whatever moment. */
  readonly broken: string[];
  readonly seen: string[];
  readonly live: (plan: Plan) => Promise<number>;
}

async function makeWorld(lastJob: "ends well" | "fails" = "ends well"): Promise<World> {
  const api = memoryApi({ takesTurns: false });
  const direct = createClient(api, { fieldManager: "test" });
  const clock = createVirtualClock();
  const dct: Dct = { started: [], asked: new Map() };
  const [broken, seen]: string[][] = [[], []];
  await direct.create(refreshes, { metadata: key, spec: decode(postgresRefresh, aRefresh).spec }, signal);
  const read = (): Promise<PostgresRefresh> => direct.get(refreshes, key, signal);
  let before = await read();
  const look = async (): Promise<void> => {
    const now = await read();
    if (now.metadata.resourceVersion === before.metadata.resourceVersion) return;
    broken?.push(...brokenLaws(now, before));
    seen?.push(now.status.phase);
    before = now;
  };
  const live = async (plan: Plan): Promise<number> => {
    const stop = new AbortController();
    const state = { calls: 0, dead: false };
    const die = (): never => {
      state.dead = true;
      throw new CrashedError("this process has crashed in the test");
    };
    const call: Call = async (to, work) => {
      if (state.dead) die();
      state.calls += 1;
      const fault = plan(state.calls, to);
      if (fault === "crash before") die();
      const error = to === "dct" ? new DctDown() : new ApiError({ kind: "unavailable" }, "no answer");
      if (fault === "unsent") throw error;
      const answer = await work();
      await look();
      if (fault === "answer lost") throw error;
      if (fault === "crash after") die();
      return answer;
    };
    const through = interceptApi(api, {
      call: ({ resource }, next) => (resource.group === "events.k8s.io" ? next() : call("api", next)),
    });
    const manager = createManager({ name: "test", api: through, log: silentLog, clock, random: () => 0.5 });
    manager.control(refreshKind(call, dct, lastJob));
    const running = manager.run(stop.signal);
    for (let seconds = 0; seconds < 600 && !state.dead && !isFinished(await read()); seconds += 5) await clock.advance(5000);
    stop.abort();
    await running;
    return state.calls;
  };
  return { dct, broken: broken ?? [], seen: seen ?? [], live };
}

const never: Plan = () => undefined;

test("an undisturbed refresh goes through its phases", async () => {
  const world = await makeWorld();
  ok((await world.live(never)) >= 12);
  deepEqual([...new Set(world.seen)], ["Pending", ...phases, "Completed"]);
  deepEqual(world.broken, []);
});

test("one that fails at its last step ends in Error", async () => {
  const world = await makeWorld("fails");
  await world.live(never);
  deepEqual([...new Set(world.seen)], ["Pending", ...phases, "Error"]);
  deepEqual(world.broken, []);
});

/** One call, whatever becomes of it; and a side that does not answer for a while. */
const outages: { readonly to: "api" | "dct" | "both"; readonly many: number; readonly faults: readonly Fault[] }[] = [
  { to: "both", many: 1, faults: ["unsent", "answer lost", "crash before", "crash after"] },
  { to: "api", many: 5, faults: ["unsent"] },
  { to: "dct", many: 5, faults: ["unsent"] },
];

for (const lastJob of ["ends well", "fails"] as const)
  for (const { to, many, faults } of outages)
    test(`${many} lost to ${to} from every call of a refresh that ${lastJob}: every law holds, each job is started once`, async () => {
      const calls = await (await makeWorld(lastJob)).live(never);
      for (const fault of faults)
        for (let number = 1; number <= calls; number += 1) {
          const world = await makeWorld(lastJob);
          const at = `${fault} from call ${number}`;
          const hit = (where: string): boolean => to === "both" || where === to;
          await world.live((now, where) => (now >= number && now < number + many && hit(where) ? fault : undefined));
          await world.live(never);
          deepEqual(world.broken, [], at);
          equal(world.seen.at(-1), lastJob === "fails" ? "Error" : "Completed", at);
          deepEqual(
            world.dct.started.map((job) => job.split("-").at(-1)),
            phases,
            at,
          );
        }
    });
