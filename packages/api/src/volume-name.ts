/** The prefix that chart delphix-storage gives its provisioner (`--volume-name-prefix`). */
export const volumeNamePrefix = "dlpx";

/** What the provisioner calls the volume of a claim; the driver calls the VDB in DCT as the volume. */
export const volumeNameOf = (claimUid: string): string => `${volumeNamePrefix}-${claimUid}`;
