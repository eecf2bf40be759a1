import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "kube-runtime";
import { assertGolden } from "../testing/golden.ts";
import { aVdb, conditions, readyVdb } from "../testing/objects.ts";
import { recorded } from "../testing/world.ts";
import { dctCheck, operatorCheck, reportText } from "./check.ts";

const deployment = (readyReplicas: number): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    namespace: "pg-operator",
    name: "delphix-operator",
    uid: "d",
    resourceVersion: "1",
    creationTimestamp: "2026-01-31T10:00:00Z",
  },
  spec: { selector: { matchLabels: {} }, template: { spec: { containers: [] } } },
  status: { readyReplicas },
});
const unreachable = aVdb({
  name: "late",
  status: { conditions: conditions("SourceResolved- DctUnreachable: DCT does not answer") },
});

for (const { name, got, want } of [
  { name: "no operator", got: operatorCheck([]), want: "fails" },
  { name: "an operator without a ready pod", got: operatorCheck([deployment(0)]), want: "fails" },
  { name: "an operator", got: operatorCheck([deployment(1)]), want: "ok" },
  { name: "a DCT that has answered", got: dctCheck([readyVdb()]), want: "ok" },
  { name: "a DCT that does not answer now", got: dctCheck([readyVdb(), unreachable]), want: "fails" },
  { name: "a DCT that nobody has asked", got: dctCheck([aVdb()]), want: "unknown" },
])
  test(`doctor: ${name}: ${want}`, () => deepEqual(got.verdict, want));

test("doctor's report", () =>
  assertGolden(
    "doctor",
    reportText(recorded(), [
      operatorCheck([deployment(1)]),
      operatorCheck([]),
      dctCheck([unreachable]),
      { what: "right create", verdict: "note", says: "not on x" },
    ]),
  ));
