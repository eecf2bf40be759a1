import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { type SourceReference, sourceReference, type VdbSource } from "./source.ts";

const rows: { name: string; source: VdbSource; want: SourceReference }[] = [
  {
    name: "a dSource, split at the first colon: names may hold further ones",
    source: { type: "dct-source", reference: "engine:sales:2026" },
    want: { type: "dct-source", engine: "engine", name: "sales:2026" },
  },
  {
    name: "a claim of the same namespace",
    source: { type: "pvc-clone", reference: "orders-data" },
    want: { type: "pvc-clone", namespace: "own", name: "orders-data" },
  },
  {
    name: "a claim, namespace/name",
    source: { type: "pvc-clone", reference: "staging/orders-data" },
    want: { type: "pvc-clone", namespace: "staging", name: "orders-data" },
  },
  {
    name: "a snapshot with its namespace beside it",
    source: { type: "k8s-snapshot", reference: "monday", namespace: "staging" },
    want: { type: "k8s-snapshot", namespace: "staging", name: "monday" },
  },
  {
    name: "an adopted claim",
    source: { type: "pvc-adopt", reference: "orders-data" },
    want: { type: "pvc-adopt", namespace: "own", name: "orders-data" },
  },
];
for (const { name, source, want } of rows)
  test(`sourceReference: ${name}`, () => deepEqual(sourceReference(source, "own"), want));
