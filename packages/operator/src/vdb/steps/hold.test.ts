import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError, type Deployment, deployments, done, type Outcome, retry, type Step, terminal, waiting } from "kube-runtime";
import type { Bytes, Place, Work } from "../../data/content-store.ts";
import { quietContent } from "../../data/testing/quiet-content.ts";
import type { VdbContext } from "../context.ts";
import { desiredDeployment } from "../objects/deployment.ts";
import { aPod, aService, contentId, forever, healthy, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { askAfterHooks, heldOnTheWay, heldStopped, tellStarted, tidyTurn } from "./hold.ts";

const openedTime = "2026-01-01T00:00:00Z";
const content = { id: contentId, claimName: "orders-c", handle: "h", madeBy: "create", openedTime };
const turn = { kind: "PostgresRefresh", name: "monday", namespace: "shop", uid: "u" };
const stopped = { uid: "u", hold: "stopped", contentId };
const under = (hold: string) => ({ content, activeAction: { ...turn, hold } });

const refusesServices = (call: string): void => {
  if (call.startsWith("apply services")) throw new ApiError({ kind: "forbidden" }, "a policy says no");
};

const stepOf = (outcome: Outcome): Step<VdbContext> => ({ name: "any", run: async () => outcome });

/** Runs a plan's steps as the skeleton does. */
async function run(steps: readonly Step<VdbContext>[], ctx: VdbContext): Promise<Outcome> {
  for (const step of steps) {
    const outcome = await step.run(ctx, forever);
    if (outcome.kind !== "done") return outcome;
  }
  return done();
}

interface Row {
  readonly name: string;
  readonly why: string;
  readonly status: object;
  readonly isAtWork?: boolean;
  /** What is left: the turn, the answer, the data's id and whether it is opened, what is previous. */
  readonly want: readonly [turn: boolean, held: boolean, sameData: boolean, opened: boolean, previous: string | undefined];
}
const next = { id: "c2", claimName: "orders-c", handle: "h", timeflow: "tf-2", madeBy: "refresh" };
const none = undefined;

const rows: readonly Row[] = [
  { name: "nobody works on it", why: "nothing is to be tidied", status: { content }, want: [false, false, true, true, none] },
  {
    name: "an action is at work",
    why: "the turn is its own",
    status: { ...under("stopped"), held: stopped },
    isAtWork: true,
    want: [true, true, true, true, none],
  },
  {
    name: "an answer to a hold of before",
    why: "an action must not take it for the present one",
    status: { ...under("beforeHooks"), held: stopped },
    isAtWork: true,
    want: [true, false, true, true, none],
  },
  {
    name: "it is gone before it had the database stopped",
    why: "it cannot have changed the data, which opens again without hooks",
    status: under("stopped"),
    want: [false, false, true, true, none],
  },
  {
    name: "it is gone after it had the database stopped",
    why: "it may have changed the bytes in place: hooks run before anybody is let in",
    status: { ...under("stopped"), held: stopped },
    want: [false, false, false, false, none],
  },
  {
    name: "the database could not be stopped",
    why: "it cannot have begun",
    status: { ...under("stopped"), held: { ...stopped, reason: "Forbidden", message: "no" } },
    want: [false, false, true, true, none],
  },
  {
    name: "it is gone after the swap",
    why: "the new data keeps its gate shut until its hooks have run, and the old is kept",
    status: { content: next, activeAction: { ...turn, hold: "stopped", replaced: content }, held: stopped },
    want: [false, false, true, false, contentId],
  },
];

describe("tidyTurn", () => {
  for (const { name, why, status, isAtWork = false, want } of rows)
    test(name, async () => {
      const { ctx, writes, events } = await stepBench({ status });
      const before = ctx.vdb.status.content?.id;
      const outcome = await tidyTurn.run({ ...ctx, world: { ...ctx.world, isAtWork: () => isAtWork } }, forever);
      const { activeAction, held, content: data, previous } = ctx.run.status;
      const left = [activeAction, held].map((one) => one !== undefined);
      deepEqual([...left, data?.id === before, data?.openedTime !== undefined, previous?.id], want, why);
      const cleared = ctx.vdb.status.activeAction !== undefined && !isAtWork;
      deepEqual([outcome.kind, writes, events], cleared ? ["after", ["save"], ["TurnCleared"]] : ["done", [], []]);
      deepEqual([data?.claimName, data?.handle], ["orders-c", "h"], "the volume is the same");
    });
});

describe("tidyTurn after the swap, with older data that is previous", () => {
  const older = {
    id: "c0",
    madeBy: "create",
    claimName: "orders-c",
    handle: "h",
    timeflow: "tf-0",
    until: "2026-01-01T00:30:00Z",
    takenOpen: true,
  };
  const replaced = { ...content, timeflow: "tf-1" };
  const status = { content: next, activeAction: { ...turn, hold: "stopped", replaced }, previous: older };
  for (const [name, answer, events] of [
    ["it is discarded, and what was replaced last is kept for a day", { kind: "gone" }, ["TurnCleared"]],
    ["what DCT keeps does not hold up the database", { kind: "kept", message: "down" }, ["PreviousKept", "TurnCleared"]],
  ] as const)
    test(name, async () => {
      const asked: unknown[] = [];
      const discard = async (_: Place, { id }: Bytes & { readonly id?: string }) => {
        asked.push(id);
        return answer;
      };
      const bench = await stepBench({ status, source: { content: { ...quietContent, discard } } });
      const { ctx } = bench;
      await tidyTurn.run({ ...ctx, world: { ...ctx.world, isAtWork: () => false } }, forever);
      deepEqual(asked, ["c0"]);
      deepEqual(ctx.run.status.previous, { ...replaced, until: "2026-01-02T00:00:00.000Z" });
      deepEqual(bench.events, events);
    });
});

describe("tidyTurn asks the storage which data it has", () => {
  const old = { ...content, timeflow: "tf-1", dataTimestamp: openedTime };
  const swapped = { content: next, activeAction: { ...turn, hold: "stopped", replaced: old }, held: stopped };
  const unswapped = { ...under("stopped"), content: old, held: stopped };
  const bytes = { claimName: "orders-c", handle: "h", timeflow: "tf-9" };
  const asRecorded = { kind: "asRecorded", sureAfterSeconds: 60 } as const;
  for (const { name, why, status, standing, want } of [
    {
      name: "changed, unwritten",
      why: "the data has another name, and its gate is shut",
      status: unswapped,
      standing: { kind: "changed", bytes },
      want: ["other", "tf-9", false, contentId, []],
    },
    {
      name: "unchanged",
      why: "once no request can come any more it opens as it was",
      status: unswapped,
      standing: asRecorded,
      want: [contentId, "tf-1", true, undefined, []],
    },
    {
      name: "swapped",
      why: "the new data has its hooks to come, the old is kept",
      status: swapped,
      standing: asRecorded,
      want: ["c2", "tf-2", false, contentId, []],
    },
    {
      name: "given back, unwritten",
      why: "the old data has its own name and opens; the new goes",
      status: swapped,
      standing: { kind: "givenBack" },
      want: [contentId, "tf-1", true, undefined, ["tf-2"]],
    },
    {
      name: "neither of the two",
      why: "only the old is kept",
      status: swapped,
      standing: { kind: "changed", bytes },
      want: ["other", "tf-9", false, contentId, ["tf-2"]],
    },
  ] as const)
    test(name, async () => {
      const discarded: unknown[] = [];
      const store = {
        ...quietContent,
        standing: async () => standing,
        discard: async (_: Place, { timeflow }: Bytes) => {
          discarded.push(timeflow);
          return { kind: "gone" } as const;
        },
      };
      const { ctx, clock } = await stepBench({ status, source: { content: store } });
      const away = { ...ctx, world: { ...ctx.world, isAtWork: () => false } };
      if (standing.kind === "asRecorded") {
        equal((await tidyTurn.run(away, forever)).kind, "after");
        equal(ctx.run.status.activeAction?.uid, "u", "it is not sure yet");
        await clock.advance(60_000);
      }
      await tidyTurn.run(away, forever);
      const { content: data, previous, activeAction, dataTimestamp } = ctx.run.status;
      const id = [contentId, "c2"].find((one) => one === data?.id) ?? "other";
      deepEqual([id, data?.timeflow, data?.openedTime !== undefined, previous?.id, discarded], want, why);
      equal(activeAction, undefined);
      if (id !== status.content.id) equal(dataTimestamp, data?.dataTimestamp, "what the columns show is of the same data");
    });

  test("a storage that is still at it, or does not answer, is waited for", async () => {
    const store = { ...quietContent, standing: async () => ({ kind: "underWay", message: "a job" }) as const };
    const { ctx, writes } = await stepBench({ status: unswapped, source: { content: store } });
    equal((await tidyTurn.run({ ...ctx, world: { ...ctx.world, isAtWork: () => false } }, forever)).kind, "after");
    deepEqual([ctx.run.status.activeAction?.uid, ctx.run.status.content?.id, writes], ["u", contentId, []]);
  });
});

test("what an action that is gone had prepared is cleared, while the status still says whose turn it was", async () => {
  const asked: unknown[] = [];
  const clear = async ({ vdb, action }: Work) => {
    asked.push([vdb.status.activeAction?.uid, vdb.status.content?.id, action.uid]);
    return { kind: "kept", message: "down" } as const;
  };
  const status = under("none");
  const bench = await stepBench({ status, source: { content: { ...quietContent, clear } } });
  await tidyTurn.run({ ...bench.ctx, world: { ...bench.ctx.world, isAtWork: () => false } }, forever);
  deepEqual([asked, bench.events], [[["u", contentId, "u"]], ["PreviousKept", "TurnCleared"]]);
});

describe("what an action is answered", () => {
  for (const [name, outcome, want, held] of [
    ["it is there", done(), "waiting ActionRunning", { uid: "u", hold: "beforeHooks", contentId }],
    ["it is under way", waiting("Starting", "it starts"), "waiting Starting", undefined],
    ["something passes", retry("Unreachable", "not now"), "after Unreachable", undefined],
    [
      "only a person can help",
      terminal("NotADatabase", "no database"),
      "waiting NotADatabase",
      { uid: "u", hold: "beforeHooks", contentId, reason: "NotADatabase", message: "no database" },
    ],
  ] as const)
    test(`on the way up: ${name}`, async () => {
      const { ctx } = await stepBench({ status: under("beforeHooks") });
      const end = await run(heldOnTheWay([stepOf(outcome)]).steps, ctx);
      equal([end.kind, ...(end.kind === "done" ? [] : [end.reason])].join(" "), want);
      deepEqual(ctx.run.status.held, held);
    });

  for (const [name, hooks, held, want] of [
    ["an action hears of the server before the hooks run", true, undefined, "beforeHooks"],
    ["without hooks there is one answer, at the end", false, undefined, undefined],
    ["what has been said of the end stays said", true, { uid: "u", hold: "beforeOpen", contentId }, "beforeOpen"],
  ] as const)
    test(`on the way to beforeOpen: ${name}`, async () => {
      const data = { id: contentId, claimName: "orders-c", handle: "h", madeBy: "refresh" };
      const status = { content: data, activeAction: { ...turn, hold: "beforeOpen" }, ...(held === undefined ? {} : { held }) };
      const spec = hooks ? { hooks: [{ name: "mask", stage: "post-refresh", script: "SELECT 1" }] } : {};
      const { ctx } = await stepBench({ status, spec });
      deepEqual(await tellStarted.run(ctx, forever), done());
      equal(ctx.run.status.held?.hold, want);
    });

  for (const { name, hooks, held, says, want } of [
    { name: "hooks that have left all in order", hooks: true, held: undefined, says: {}, want: "done, asked" },
    {
      name: "hooks that have dropped the role",
      hooks: true,
      held: undefined,
      says: { roleExists: false },
      want: "terminal, asked",
    },
    { name: "no hooks", hooks: false, held: undefined, says: {}, want: "done" },
    { name: "it has answered", hooks: true, held: { uid: "u", hold: "beforeOpen", contentId }, says: {}, want: "done" },
  ] as const)
    test(`at beforeOpen the server is asked before the action cannot go back: ${name}`, async () => {
      const data = { id: contentId, claimName: "orders-c", handle: "h", madeBy: "refresh" };
      const status = { content: data, activeAction: { ...turn, hold: "beforeOpen" }, ...(held === undefined ? {} : { held }) };
      const spec = hooks ? { hooks: [{ name: "mask", stage: "post-refresh", script: "SELECT 1" }] } : {};
      const { ctx, writes } = await stepBench({ status, spec, exec: () => healthy(says) });
      const password = { kind: "known", value: "a-good-password" } as const;
      const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: meta("c") };
      const running = { ...ctx, pod: aPod(), password, configMap, settings: "", settingsCorrected: false };
      const { kind } = await askAfterHooks.run(running, forever);
      equal([kind, ...(writes.includes("exec") ? ["asked"] : [])].join(", "), want);
    });

  test("stopped: when its server has ended, though the kubelet has yet to remove the pod", async () => {
    const { metadata, ...pod } = aPod();
    const ended = { ...pod, status: { phase: "Succeeded" as const }, metadata: { ...metadata, deletionTimestamp: openedTime } };
    const { ctx } = await stepBench({ status: under("stopped"), pods: [ended] });
    await run(heldStopped(ctx).steps, ctx);
    equal(ctx.run.status.held?.hold, "stopped");
  });

  test("stopped: the gate is shut beside the end of the server, and both are to be done", async () => {
    const status = { ...under("stopped"), delphixVDB: "pvc-1", delphixID: "h" };
    const service = aService("open");
    const facts = { contentId, image: "postgres:16.2", claimName: "orders-c", restartedFor: undefined };
    const { metadata, spec } = desiredDeployment(aVdb(), facts);
    const deployment: Deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { ...meta("orders"), ...metadata },
      spec,
    };
    const given = { status, service, deployment };
    const refused = await stepBench({ ...given, beforeCall: refusesServices });
    await refused.client.create(deployments, deployment, forever);
    equal((await run(heldStopped(refused.ctx).steps, refused.ctx)).kind, "after");
    equal((await refused.client.get(deployments, { namespace: "shop", name: "orders" }, forever)).spec.replicas, 0);
    equal(refused.ctx.run.status.held?.reason, "Forbidden", "the action is taken back");
  });

  test("stopped: only when its server has ended and DCT has let go", async () => {
    const asked: boolean[] = [];
    let attached = true;
    const setAttached = async (_: unknown, __: unknown, wanted: boolean) => {
      asked.push(wanted);
      return attached ? ({ kind: "underWay", message: "it is disabled" } as const) : ({ kind: "asWanted" } as const);
    };
    const status = { ...under("stopped"), delphixVDB: "pvc-1", delphixID: "h" };
    const source = { setAttached };
    const up = await stepBench({ status, source, pods: [aPod()] });
    equal((await run(heldStopped(up.ctx).steps, up.ctx)).kind, "waiting");
    deepEqual([asked, up.ctx.run.status.held], [[], undefined], "its pod has the data open");
    const down = await stepBench({ status, source });
    equal((await run(heldStopped(down.ctx).steps, down.ctx)).kind, "after");
    deepEqual([asked, down.ctx.run.status.held], [[false], undefined], "DCT still has it enabled");
    attached = false;
    await run(heldStopped(down.ctx).steps, down.ctx);
    deepEqual([asked, down.ctx.run.status.held], [[false, false], stopped]);
  });
});
