/** How later snapshots of a dSource come: from a standby that the source's WAL is streamed to, or each by a base backup. */
export const syncs = ["stream", "copy"] as const;
export type Sync = (typeof syncs)[number];

const byDefault: Sync = "stream";

export const isStreamed = ({ sync = byDefault }: { readonly sync?: Sync }): boolean => sync === "stream";
