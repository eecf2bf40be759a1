interface Places {
  /** Of the last of the source's checkpoints that the standby has brought to its disk: a recovery of its data begins there. */
  readonly redo: bigint;
  /** Where the source is. */
  readonly position: bigint;
  /** Where the snapshot before ends; undefined: there is none. */
  readonly former: bigint | undefined;
  readonly walSegmentBytes: number;
}

/**
 * A recovery writes anew each page that was changed since its beginning. Once that is no more than what has changed since the snapshot
 * before; when that one's recovery has begun here too, it is the same again. A source that makes checkpoints between snapshots is never
 * asked. Nor for less than two segments: the rest of one may be empty, where the source has ended it early, and for a checkpoint it ends
 * another one.
 */
export const isWorthACheckpoint = ({ redo, position, former, walSegmentBytes }: Places): boolean =>
  former !== undefined && former >= redo && position - redo > 2n * BigInt(walSegmentBytes);
