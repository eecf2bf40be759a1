import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "kube-runtime";
import type { Bytes, Place } from "../../data/content-store.ts";
import { quietContent } from "../../data/testing/quiet-content.ts";
import { forever, meta, stepBench } from "../step-bench.ts";
import { releaseOthers } from "./release-others.ts";

const aClaim = (name: string, more: object = {}): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta(name, more),
  spec: { volumeName: "pv" },
});
const content = { id: "c2", madeBy: "refresh", claimName: "orders-c2", handle: "h2" };
const previous = { id: "c1", madeBy: "create", claimName: "orders-c1", handle: "h1" };
const activeAction = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u", replaced: previous };

interface Row {
  readonly name: string;
  readonly why: string;
  readonly claim?: PersistentVolumeClaim;
  readonly status: object;
  readonly policy?: "Retain";
  readonly want: "done" | "after";
  readonly writes?: readonly string[];
}
const rows: readonly Row[] = [
  { name: "no data yet", why: "what there is will be it", claim: aClaim("orders-c9"), status: {}, want: "done" },
  { name: "the claim of the present data", why: "it goes last", claim: aClaim("orders-c2"), status: { content }, want: "done" },
  {
    name: "previous data",
    why: "nothing is left behind",
    claim: aClaim("orders-c1"),
    status: { content, previous },
    want: "after",
    writes: ["delete persistentvolumeclaims orders-c1"],
  },
  {
    name: "data that an action has replaced",
    why: "the action ends without an undo",
    claim: aClaim("orders-c1"),
    status: { content, activeAction },
    want: "after",
    writes: ["delete persistentvolumeclaims orders-c1"],
  },
  {
    name: "previous data, with deletionPolicy Retain",
    why: "it stays as the present data does, and belongs to nobody",
    claim: aClaim("orders-c1"),
    status: { content, previous },
    policy: "Retain",
    want: "done",
    writes: ["patch persistentvolumeclaims orders-c1"],
  },
  {
    name: "what was only prepared, with Retain",
    why: "no database ever had it",
    claim: aClaim("orders-c3"),
    status: { content, previous },
    policy: "Retain",
    want: "after",
    writes: ["delete persistentvolumeclaims orders-c3"],
  },
  {
    name: "another owner's claim",
    why: "what another made is never deleted",
    claim: aClaim("orders-c3", { ownerReferences: [] }),
    status: { content },
    want: "done",
  },
  {
    name: "one that is being deleted",
    why: "it is waited for",
    claim: aClaim("orders-c1", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    status: { content, previous },
    want: "after",
  },
];

describe("releaseOthers", () => {
  for (const { name, why, claim, status, policy = "Delete", want, writes = [] } of rows)
    test(name, async () => {
      const own = claim === undefined ? {} : { claim };
      const bench = await stepBench({ status, spec: { deletionPolicy: policy }, ...own, source: { content: quietContent } });
      if (claim !== undefined) await bench.client.create(persistentVolumeClaims, claim, forever);
      bench.writes.length = 0;
      const outcome = await releaseOthers.run(bench.ctx, forever);
      equal(outcome.kind, want, why);
      deepEqual(bench.writes, writes, why);
    });

  for (const [policy, want] of [
    ["Delete", ["orders-c1"]],
    ["Retain", []],
  ] as const)
    test(`a claim of the user's that was adopted, with ${policy}`, async () => {
      const asked: (string | undefined)[] = [];
      const discard = async (_: Place, { claimName }: Bytes) => {
        asked.push(claimName);
        return { kind: "gone" } as const;
      };
      const store = { ...quietContent, discard };
      const status = { content, previous };
      const { ctx } = await stepBench({ status, spec: { deletionPolicy: policy }, source: { content: store } });
      equal((await releaseOthers.run(ctx, forever)).kind, "done");
      deepEqual(asked, want);
    });
});
