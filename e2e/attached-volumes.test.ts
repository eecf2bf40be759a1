/** The tests of volumes.test.ts and controller-killed.test.ts again, with volumes that the stock csi-attacher attaches: in the full tier, because each start takes 10 s. */
import { after } from "node:test";
import { testCluster } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { switchAttaching } from "./attaching.ts";

if (isFullTier) {
  const kubectl = await testCluster();
  await switchAttaching(kubectl, true);
  await import("./volumes.test.ts");
  await import("./controller-killed.test.ts");
  after(async () => await switchAttaching(kubectl, false));
}
