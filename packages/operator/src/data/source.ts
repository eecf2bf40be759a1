import type { VdbIdentity } from "@vdb/api";

/** What is known of a source once it was found: enough to make a volume from it and to say what was taken. */
export interface ResolvedSource {
  readonly identity: VdbIdentity;
  /** The bytes that a reader of it sees. */
  readonly sizeBytes: number | undefined;
  /** `16.2` or `16`. */
  readonly postgresVersion: string | undefined;
  /** The moment whose data the newest snapshot holds. */
  readonly dataTimestamp: string | undefined;
  readonly id: string | undefined;
  readonly snapshotId: string | undefined;
  readonly snapshotName: string | undefined;
}
