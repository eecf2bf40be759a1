import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "kube-runtime";
import { createVirtualClock } from "kube-runtime/testing";
import { contentLabel } from "../../vdb/names.ts";
import { aPod, contentId, forever } from "../../vdb/step-bench.ts";
import { aVdb } from "../../vdb/testing.ts";
import type { ActionContext } from "../context.ts";
import { awaitDatabase } from "./hold-database.ts";

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
    const vdb = aVdb({ status: { content, activeAction: turn, ...status } });
    const ctx = {
      action: { metadata: { uid: "u" }, spec },
      target: { namespace: "shop", name: "orders" },
      run: { clock: createVirtualClock() },
      world: { caches: { vdbs: { get: () => vdb }, pods: { byIndex: () => pods } } },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what this step reads
    const outcome = await awaitDatabase.end(ctx as unknown as ActionContext, "beforeHooks", forever);
    deepEqual(outcome.kind, want, why);
  });
