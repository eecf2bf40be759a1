import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseFieldSelector, parseLabelSelector } from "./selector.ts";

const labels = { app: "db", tier: "1", "example.dev/x": "y" };
const rows: readonly (readonly [string, boolean])[] = [
  ["", true],
  ["app", true],
  ["app=db", true],
  ["app==db", true],
  ["app=web", false],
  ["app!=web", true],
  ["missing!=web", true],
  ["!missing", true],
  ["!app", false],
  ["app in (db,web)", true],
  ["app in (web)", false],
  ["app notin (web)", true],
  ["missing notin (web)", true],
  ["app notin (db, web)", false],
  ["example.dev/x=y,app=db,tier in (1,2)", true],
  ["example.dev/x=y,app=db,tier in (2,3)", false],
];
for (const [selector, want] of rows) {
  test(`the label selector "${selector}"`, () =>
    equal(parseLabelSelector(selector)({ name: "n", uid: "u", resourceVersion: "1", creationTimestamp: "", labels }), want));
}

test("what the API server would refuse is refused", () => {
  for (const wrong of ["a in b", "a=b=c", "a b"]) throws(() => parseLabelSelector(wrong), /label selector term/u);
});

const fieldRows: readonly (readonly [string, boolean | undefined])[] = [
  ["metadata.name=n", true],
  ["metadata.name==n", true],
  ["metadata.name!=n", false],
  ["metadata.name=m", false],
  ["metadata.namespace=s", true],
  ["metadata.name=n,metadata.namespace!=s", false],
  ["metadata.name=n,metadata.namespace=s", true],
  ["status.phase=Running", undefined],
  ["metadata.name=n,status.phase=Running", undefined],
];
for (const [selector, want] of fieldRows) {
  const metadata = { name: "n", namespace: "s", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  test(`the field selector "${selector}"`, () => equal(parseFieldSelector(selector)?.(metadata), want));
}
