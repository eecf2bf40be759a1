import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { done, type Pod } from "kube-runtime";
import { createVirtualClock } from "kube-runtime/testing";
import { contentIdOfAction, contentLabel } from "../../vdb/names.ts";
import { aPod, contentId, forever } from "../../vdb/step-bench.ts";
import { aVdb } from "../../vdb/testing.ts";
import type { ActionContext } from "../context.ts";
import { awaitDatabase, awaitHooks, holdDatabase, lacksStop } from "./hold-database.ts";

const turn = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u", hold: "beforeOpen" };
const content = { id: contentId, claimName: "orders-c", handle: "h", madeBy: "refresh" };
const held = { uid: "u", hold: "beforeOpen", contentId };

interface Row {
  readonly name: string;
  readonly why: string;
  readonly pods?: readonly Pod[];
  readonly status?: object;
  readonly spec?: object;
  readonly want: string;
}
const rows: readonly Row[] = [
  { name: "no pod yet", why: "it starts", want: "waiting" },
  { name: "a pod that starts", why: "nobody answers", pods: [aPod({ ready: false })], want: "waiting" },
  { name: "the pod answers", why: "the hooks are next, and the database's word comes with them", pods: [aPod()], want: "done" },
  {
    name: "the pod of other data answers",
    why: "it is on its way out",
    pods: [aPod({}, { labels: { [contentLabel]: "c0" } })],
    want: "waiting",
  },
  {
    name: "the pod answers, and a script of the action's own is next",
    why: "what it finds has to be prepared: the database says so",
    pods: [aPod()],
    status: { activeAction: { ...turn, hold: "beforeHooks" } },
    spec: { postRefresh: { script: "SELECT 1" } },
    want: "waiting",
  },
  { name: "the database says that it is there", why: "its pod may have gone since", status: { held }, want: "done" },
  {
    name: "the pod answers, and the database has trouble",
    why: "what a person has to mend takes the action back",
    pods: [aPod()],
    status: { held: { ...held, reason: "RoleMissing", message: "no role" } },
    want: "terminal",
  },
];
for (const { name, why, pods = [], status = {}, spec = {}, want } of rows)
  test(`awaitDatabase: ${name}`, async () => {
    const outcome = await awaitDatabase.end(contextOf({ status, pods, spec }), "beforeHooks", forever);
    deepEqual(outcome.kind, want, why);
  });

const endedPod = (): Pod => ({ ...aPod(), status: { phase: "Succeeded" } });
const stopping = { ...turn, hold: "stopped" };
const detached = { ...held, hold: "stopped" };
const stops: readonly (Row & { readonly lacks: string | undefined })[] = [
  { name: "the server runs", why: "it shuts down", pods: [aPod()], want: "waiting", lacks: "waiting" },
  {
    name: "the server has ended",
    why: "its storage is let go of while the next phase is announced",
    pods: [endedPod()],
    want: "done",
    lacks: "waiting",
  },
  { name: "the pod is gone", why: "the same", want: "done", lacks: "waiting" },
  { name: "the database says so", why: "nothing has its data open", status: { held: detached }, want: "done", lacks: undefined },
  {
    name: "the storage is not let go of",
    why: "what a person has to mend takes the action back, whatever has become of the pod",
    status: { held: { ...detached, reason: "DctRefused", message: "no" } },
    want: "terminal",
    lacks: "terminal",
  },
];
for (const { name, why, pods = [], status = {}, want, lacks } of stops)
  test(`holdDatabase: ${name}`, async () => {
    const ctx = contextOf({ status: { activeAction: stopping, ...status }, pods, spec: {} });
    deepEqual((await holdDatabase.end(ctx, "stopped; before it was asDeclared", forever)).kind, want, why);
    deepEqual(lacksStop(ctx)?.kind, lacks, why);
  });

const at = { lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1 };
const notReady = { conditions: [{ type: "Ready", status: "False", reason: "Starting", message: "it starts", ...at }] };
const told: readonly (Pick<Row, "name" | "why"> & { readonly hold: string | undefined; readonly before: string })[] = [
  { name: "comes up", why: "taken back, it is not waited for longer than before", hold: undefined, before: "underWay" },
  {
    name: "was told to stop by an operator that died",
    why: "that is done for one that was as declared alone",
    hold: "stopped",
    before: "asDeclared",
  },
];
for (const { name, why, hold, before } of told)
  test(`holdDatabase: a database that ${name} is not held beside what tells of it`, async () => {
    const { hold: _, ...free } = turn;
    const activeAction = hold === undefined ? free : { ...free, hold };
    const ctx = contextOf({ status: { activeAction, ...notReady }, spec: {} });
    deepEqual(await holdDatabase.intend(ctx, forever), `stopped; before it was ${before}`, why);
    await holdDatabase.beside?.(ctx, forever);
  });

test("awaitHooks: data that was let open already is not shut again", async () => {
  const { hold: _, ...open } = turn;
  const status = { activeAction: open, content: { ...content, id: contentIdOfAction("u"), openedTime: "2026-01-01T00:00:00Z" } };
  const ctx = contextOf({ status, pods: [], spec: {} });
  deepEqual(await awaitHooks.end(ctx, "beforeOpen", forever), done());
});

/** Whatever a step writes fails: it has no client. */
function contextOf({ status = {}, pods = [], spec }: Pick<Row, "status" | "pods" | "spec">): ActionContext {
  const vdb = aVdb({ status: { content, activeAction: turn, ...status } });
  const ctx = {
    action: { metadata: { uid: "u" }, spec },
    target: { namespace: "shop", name: "orders" },
    run: { clock: createVirtualClock() },
    world: { caches: { vdbs: { get: () => vdb }, pods: { byIndex: () => pods } } },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what these steps read
  return ctx as unknown as ActionContext;
}
