/** What the driver is called everywhere: in the CSIDriver and StorageClass objects, at the kubelet and in every answer. */
export const driverName = "defs.csi.delphix.com";
export const driverVersion = "0.1.0";
/** The label by which pods follow their data to the node that the engine runs on. */
export const topologyKey = "topology.defs.csi.delphix.com/node";

export const topologyOf = (node: string): { readonly segments: Readonly<Record<string, string>> } => ({
  segments: { [topologyKey]: node },
});
