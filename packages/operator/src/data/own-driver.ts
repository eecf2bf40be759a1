/** The name of this project's CSI driver: the handles of its volumes and snapshots are ids of DCT. */
export const ownDriver = "defs.csi.delphix.com";
