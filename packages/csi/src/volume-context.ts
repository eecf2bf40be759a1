/** What the controller tells the node about a volume; the names become part of every PersistentVolume, so they stay. */
export const exportedDirectoryKey = "exportedDataDirectory";
