import { deepEqual } from "node:assert/strict";
import { describe, test } from "node:test";
import { createVirtualClock } from "kube-runtime/testing";
import { nothingToDo } from "../../data/content-store.ts";
import { quietContent } from "../../data/testing/quiet-content.ts";
import { contentId, forever } from "../../vdb/step-bench.ts";
import { aVdb } from "../../vdb/testing.ts";
import { prepareContent, type ReplaceContext } from "./prepare-content.ts";

const activeAction = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u" };
const at = { lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1 };
const ready = { type: "Ready", status: "True", reason: "Ready", message: "clients can connect", ...at };
const content = { id: contentId, claimName: "orders-c", madeBy: "create", openedTime: "2026-01-01T00:00:00Z" };
const run = { name: "pre-refresh/flush", pod: "p", outcome: "Succeeded", startTime: "2026-01-01T00:00:00Z" };

const rows = [
  { name: "a database as declared", why: "nothing is lost by it", want: ["stopped"] },
  { name: "something to prepare", why: "the old data answers meanwhile", prepare: quietContent.prepare, want: [] },
  { name: "a hook that has run", why: "its end is recorded before its pod goes", runs: [run], want: [] },
  { name: "a database that comes up", why: "what it was would be forgotten", conditions: [], want: [] },
];
describe("prepareContent: whether the stop is told beside the choice", () => {
  for (const { name, why, prepare = nothingToDo, runs, conditions = [ready], want } of rows)
    test(name, async () => {
      const vdb = aVdb({ status: { content, activeAction, conditions } });
      const held: unknown[] = [];
      const ctx = {
        action: { metadata: { uid: "u" }, spec: {} },
        target: { namespace: "shop", name: "orders" },
        run: {
          clock: createVirtualClock(),
          status: { steps: [{ name: "prepare-content", intent: "the latest" }], runs },
          client: {
            patchStatus: (_: unknown, __: unknown, { status }: { readonly status: typeof vdb.status }) =>
              held.push(status.activeAction?.hold),
          },
        },
        world: {
          caches: { vdbs: { get: () => vdb } },
          sources: { holding: () => ({ content: { ...quietContent, prepare } }) },
        },
      };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what this step reads
      await prepareContent("refresh").beside?.(ctx as unknown as ReplaceContext, forever);
      deepEqual(held, want, why);
    });
});
