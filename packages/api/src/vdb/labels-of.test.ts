import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { annotationsOf, identityIn, labelsOf } from "./labels-of.ts";

test("labelsOf: what is not known has no label; values are made safe", () => {
  deepEqual(labelsOf({ sourceRef: "orders-data", envName: "", vdbGroupName: "My Group" }), {
    sourceRef: "orders-data",
    vdbGroupName: "MyGroup-5c5d4cfd",
  });
});

test("annotationsOf: the specification's keys, values as they are, to be read back", () => {
  const identity = {
    sourceRef: "ProductionDB",
    sourceDBName: "ProductionDB",
    vdbGroupName: "My Group",
    envName: "production",
    engineName: "e",
  };
  const { sourceRef: _, ...readBack } = identity;
  deepEqual(identityIn(annotationsOf({ ...identity, mountPath: "/", uid: 1, gid: 1 })), readBack);
  deepEqual(annotationsOf({ ...identity, mountPath: "/mnt/postgres", uid: 999, gid: 999 }), {
    vdbGroupName: "My Group",
    envName: "production",
    engineName: "e",
    sourceDBName: "ProductionDB",
    vdbStageMountpath: "/mnt/postgres",
    ownershipSpec: "999:999",
    "delphix.com/created": "true",
  });
});
