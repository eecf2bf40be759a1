import { deepEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { annotationsOf, pvcAnnotations, volumeNamePrefix } from "../packages/api/src/index.ts";
import { type SpecDefaults, volumeSpecOf } from "../packages/csi/src/controller/volume-spec.ts";

/** Of what the driver reads, nothing is left to defaults, so that a key it does not know would show. */
const defaults: SpecDefaults = { vdbGroupName: "default", vdbStageMountpath: "/default", ownershipSpec: "1:1" };

test("the CSI driver reads from a claim what the operator wrote on it", () => {
  const identity = {
    sourceRef: "production",
    sourceDBName: "production",
    engineName: "e",
    vdbGroupName: "My Group",
    envName: "dev-env",
  };
  const written = annotationsOf({ ...identity, mountPath: "/mnt/postgres", uid: 999, gid: 26 });
  deepEqual(volumeSpecOf({ ...written, [pvcAnnotations.vdbRepositoryName.key]: "Empty vFile Repository" }, defaults), {
    engine: "e",
    source: "production",
    group: "My Group",
    environment: "dev-env",
    repository: "Empty vFile Repository",
    mountPath: "/mnt/postgres",
    ownership: "999:26",
  });
});

test("the chart has volumes named as the operator looks for them", () => {
  const chart = readFileSync(new URL("../charts/delphix-storage/templates/controller.yaml", import.meta.url), "utf8");
  ok(chart.includes(`- --volume-name-prefix=${volumeNamePrefix}\n`));
});
