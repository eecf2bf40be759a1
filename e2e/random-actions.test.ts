/** Snapshots, refreshes, rewinds, undone ones and kills in random order: a client sees one history at a time, whole. */
import { deepEqual } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { operatorNamespace, testCluster } from "@vdb/cluster";
import { sampled, testSeed } from "kube-runtime/testing";
import { deleteOrigin, makeOrigin, origins, sourceOf } from "./origins.ts";
import { planSequence } from "./random-actions/plan.ts";
import { runSequence } from "./random-actions/sequence.ts";
import { deleteVdb } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = operatorNamespace;
const sequences = sampled(
  "sequences",
  Array.from({ length: 30 }, (_, index) => index + 1),
  3,
);
const stepsEach = 5;
const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,postgresrefreshes,volumesnapshots";

describe(`${sequences.length} sequences of ${stepsEach} random actions (seed ${testSeed})`, {
  timeout: sequences.length * 600_000,
}, () => {
  before(async () => await makeOrigin(kubectl, namespace));
  for (const nth of sequences) {
    const vdb = { name: `random-${nth}`, namespace };
    const origin = origins[nth % origins.length] ?? "dct-source";
    test(`sequence ${nth}, ${origin}: each session reads one history, with every row that was acknowledged in it`, async () => {
      const spec = await sourceOf(kubectl, origin, namespace);
      deepEqual(await runSequence(kubectl, { ...vdb, spec }, planSequence(testSeed + nth, stepsEach)), []);
    });
    after(async () => {
      await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
      await deleteVdb(kubectl, vdb);
    });
  }
  after(async () => await deleteOrigin(kubectl, namespace));
});
