import { installCharts, type Kubectl } from "@vdb/cluster";

/** csi.attachRequired. A CSIDriver cannot be changed in this; pods that run with the other value go on. */
export async function switchAttaching(kubectl: Kubectl, attachRequired: boolean): Promise<void> {
  await kubectl.run(["delete", "csidriver", "defs.csi.delphix.com"]);
  await installCharts(kubectl, { storageValues: { csi: { attachRequired } } });
}
