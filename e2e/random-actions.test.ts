/** Snapshots, refreshes, rewinds, undone ones and kills in random order: a client sees one history at a time, whole. */
import { deepEqual } from "node:assert/strict";
import { after, describe, test } from "node:test";
import { operatorNamespace, testCluster } from "@vdb/cluster";
import { isFullTier, testSeed } from "kube-runtime/testing";
import { planSequence } from "./random-actions/plan.ts";
import { runSequence } from "./random-actions/sequence.ts";
import { deleteVdb } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = operatorNamespace;
const count = isFullTier ? 30 : 3;
const stepsEach = 5;
const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,postgresrefreshes,volumesnapshots";

describe(`${count} sequences of ${stepsEach} random actions (seed ${testSeed})`, { timeout: count * 600_000 }, () => {
  for (let nth = 1; nth <= count; nth += 1) {
    const vdb = { name: `random-${nth}`, namespace };
    test(`sequence ${nth}: each session reads one history, with every row that was acknowledged in it`, async () => {
      deepEqual(await runSequence(kubectl, vdb, planSequence(testSeed + nth, stepsEach)), []);
    });
    after(async () => {
      await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
      await deleteVdb(kubectl, vdb);
    });
  }
});
