/** Whatever is killed: nothing acknowledged is lost, and every database comes back. `make soak` runs it for half an hour. */
import { deepEqual, ok } from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { testCluster } from "@vdb/cluster";
import { isFullTier, testSeed } from "kube-runtime/testing";
import { soak } from "./soak/soak.ts";
import { removeDatabases } from "./soak/world.ts";

const kubectl = await testCluster();
const minutes = Number(process.env["SOAK_MINUTES"] || (isFullTier ? 30 : 2));
if (!(minutes > 0)) throw new Error(`SOAK_MINUTES=${process.env["SOAK_MINUTES"]} is no number of minutes`);

after(async () => await removeDatabases(kubectl));

test(`killed at random for ${minutes} minutes (seed ${testSeed}): no acknowledged row is lost or doubled, all get Ready`, {
  timeout: (minutes + 10) * 60_000,
}, async () => {
  const { faults, strikes, acknowledged } = await soak({
    kubectl,
    seed: testSeed,
    durationMs: minutes * 60_000,
    isStrict: isFullTier,
  });
  deepEqual(faults, []);
  ok(
    strikes >= 5 * minutes && acknowledged > 100 * minutes,
    `only ${strikes} kills and ${acknowledged} rows: this proves little`,
  );
});
