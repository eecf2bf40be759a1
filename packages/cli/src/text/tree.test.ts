import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { assertGolden } from "../testing/golden.ts";
import { aVdb, now, readyVdb } from "../testing/objects.ts";
import { recorded } from "../testing/world.ts";
import { treeText } from "./tree.ts";

const from = (type: string, reference: string, namespace?: string) => ({
  source: { type, reference, ...(namespace === undefined ? {} : { namespace }) },
});
const uid = (text: string) => ({ metadata: { uid: text } });

test("tree: VDBs of VDBs, of claims and of snapshots, over namespaces", () => {
  const all = [
    readyVdb({ ...uid("a"), status: { delphixVDB: "vdb-orders", pvcName: "orders-1" } }),
    readyVdb({ ...uid("b"), name: "second", spec: from("dct-source", "delphix-engine:production") }),
    aVdb({ ...uid("c"), name: "child", namespace: "dev", spec: from("dct-source", "delphix-engine:vdb-orders") }),
    aVdb({
      ...uid("d"),
      name: "copy",
      namespace: "dev",
      spec: from("pvc-clone", "shop/orders-1"),
      status: { pvcName: "copy-1" },
    }),
    aVdb({ ...uid("e"), name: "grandchild", namespace: "dev", spec: from("k8s-snapshot", "monday") }),
    aVdb({ ...uid("f"), name: "elsewhere", spec: from("k8s-snapshot", "tuesday", "staging") }),
    aVdb({ ...uid("g"), name: "adopted", spec: from("pvc-adopt", "old-data") }),
  ];
  const snapshots = [
    { namespace: "dev", name: "monday", claim: "copy-1" },
    { namespace: "staging", name: "tuesday", claim: undefined },
  ];
  assertGolden("tree", treeText(recorded(), all, snapshots, now));
});

test("tree: a copy of a claim that a refresh has left aside is still below its database", () => {
  const previous = { id: "c1", madeBy: "create", claimName: "orders-1" } as const;
  const all = [
    readyVdb({ ...uid("a"), status: { pvcName: "orders-2", previous } }),
    aVdb({ ...uid("b"), name: "copy", spec: from("pvc-clone", "orders-1") }),
  ];
  match(treeText(recorded(), all, [], now), /orders.*\n {3}└─ .*copy/u);
});

test("tree: names that go in a circle hide nobody", () => {
  const all = [
    aVdb({ ...uid("a"), name: "a", spec: from("dct-source", "e:b"), status: { delphixVDB: "a" } }),
    aVdb({ ...uid("b"), name: "b", spec: from("dct-source", "e:a"), status: { delphixVDB: "b" } }),
  ];
  equal(treeText(recorded(), all, [], now).match(/shop\/[ab]/gu)?.length, 2);
});
