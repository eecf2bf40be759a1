/** What the controller tells the node about a volume; the names become part of every PersistentVolume, so they stay. */
export const exportedDirectoryKey = "exportedDataDirectory";
/** Missing where DCT does not name a pool, and on volumes from before it was written. */
export const exportedPoolKey = "exportedDataPool";
/** The engine that exports the folder by NFS; missing: it is a folder of the node. */
export const exportedHostKey = "exportedHost";
export const nfsVersionKey = "exportedNfsVersion";
