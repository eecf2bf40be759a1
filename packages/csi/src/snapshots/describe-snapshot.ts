import type { Snapshot, Vdb } from "@vdb/dct";
import { askedCapacityBytes } from "../controller/tags.ts";

/** A snapshot as CSI describes it. DCT shows one only when it can be used, and a volume made of it is as large as its source. */
export function describeSnapshot(snapshot: Snapshot, vdb: Vdb): object {
  const at = Date.parse(snapshot.timestamp ?? snapshot.creation_time ?? "1970-01-01T00:00:00Z");
  return {
    snapshotId: snapshot.id,
    sourceVolumeId: vdb.id,
    sizeBytes: askedCapacityBytes(vdb) ?? 0,
    creationTime: { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1_000_000 },
    readyToUse: true,
  };
}
