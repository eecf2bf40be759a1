import { doesNotThrow, equal, throws } from "node:assert/strict";
import { describe, test } from "node:test";
import type { PersistentVolumeClaim } from "kube-runtime";
import { ownerOf } from "../../vdb/names.ts";
import { aVdb } from "../../vdb/testing.ts";
import { adopterBefore } from "./adopt.ts";
import { heldBy, mustBeOpen } from "./database-on.ts";

const openedTime = "2026-01-01T00:10:00Z";
const takenEarly = "2026-01-01T00:05:00Z";
const content = { id: "c2", madeBy: "refresh", claimName: "orders-c2", openedTime };
const previous = { id: "c1", madeBy: "create", claimName: "orders-c1", openedTime };
const turn = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u" };
const ownClaim: PersistentVolumeClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: {
    name: "orders-c3",
    namespace: "shop",
    uid: "3",
    resourceVersion: "1",
    creationTimestamp: openedTime,
    ownerReferences: ownerOf(aVdb()),
  },
  spec: {},
};

interface Row {
  readonly name: string;
  readonly why: string;
  readonly status: object;
  readonly claim: string;
  readonly takenAt?: string;
  readonly isOpen: boolean;
}
const rows: readonly Row[] = [
  { name: "the present data", why: "clients are let in", status: { content }, claim: "orders-c2", isOpen: true },
  {
    name: "the present data that an action holds",
    why: "its hooks may be still to come",
    status: { content, activeAction: { ...turn, hold: "beforeOpen" } },
    claim: "orders-c2",
    isOpen: false,
  },
  {
    name: "previous data",
    why: "it was open, and never changes",
    status: { content, previous },
    claim: "orders-c1",
    isOpen: true,
  },
  {
    name: "data that an action has replaced",
    why: "it was open, whatever holds the new",
    status: { content, activeAction: { ...turn, hold: "beforeHooks", replaced: previous } },
    claim: "orders-c1",
    isOpen: true,
  },
  {
    name: "data that an action prepares",
    why: "no hook has seen it: it may be unmasked",
    status: { content, previous },
    claim: "orders-c3",
    isOpen: false,
  },
  { name: "nobody's claim", why: "there are no hooks to go around", status: { content }, claim: "theirs", isOpen: true },
  {
    name: "a snapshot of before the opening, of data with a claim of its own",
    why: "it was taken before the hooks",
    status: { content },
    claim: "orders-c2",
    takenAt: takenEarly,
    isOpen: false,
  },
  {
    name: "one of data that had been open before",
    why: "it may have been taken between two openings",
    status: { content: { ...content, madeBy: "rewind", takenOpen: true } },
    claim: "orders-c2",
    takenAt: takenEarly,
    isOpen: true,
  },
  {
    name: "one of data that DCT has changed in place",
    why: "it may have been taken between two openings",
    status: { content: { ...content, timeflow: "tf-2" } },
    claim: "orders-c2",
    takenAt: takenEarly,
    isOpen: true,
  },
];

describe("whether a claim's data may be copied", () => {
  for (const { name, why, status, claim, takenAt, isOpen } of rows)
    test(name, () => {
      const held = heldBy([aVdb({ status })], { namespace: "shop", name: claim }, claim === "orders-c3" ? ownClaim : undefined);
      const ask = (): void => mustBeOpen(held, "it", { takenAt, byAction: false });
      if (isOpen) doesNotThrow(ask, why);
      else throws(ask, { reason: "SourceNotReady" }, why);
    });
});

test("a claim that is another database's previous data is not adopted by a second one", () => {
  const other = aVdb({ status: { content, previous, pvcName: "orders-c2" } });
  const second = { ...aVdb(), metadata: { ...aVdb().metadata, uid: "second", creationTimestamp: "2025-01-01T00:00:00Z" } };
  equal(adopterBefore([other], second, { namespace: "shop", name: "orders-c1" }), other);
  equal(adopterBefore([other], second, { namespace: "shop", name: "orders-c9" }), undefined);
});
