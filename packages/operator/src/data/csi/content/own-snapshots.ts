import type { PostgresVDB } from "@vdb/api";
import type { Place } from "../../content-store.ts";
import { contentsOf } from "../database-on.ts";
import { stageLabel } from "../stage.ts";
import { actionLabel, snapshotOfLabel, snapshotsIn, type VolumeSnapshot } from "../volume-snapshots.ts";

/** The VolumeSnapshots of a database that can be used, the newest first: those that actions took, and those of a claim of its own. */
export async function ownSnapshots({ client, vdb }: Place, signal: AbortSignal): Promise<readonly VolumeSnapshot[]> {
  const { namespace } = vdb.metadata;
  const all = await snapshotsIn(client, { namespace }, signal);
  return all.filter((one) => isUsable(one) && isOf(one, vdb)).toSorted((a, b) => takenMs(b) - takenMs(a));
}

const isUsable = ({ metadata, status }: VolumeSnapshot): boolean =>
  metadata.deletionTimestamp === undefined && status?.readyToUse === true && metadata.labels?.[stageLabel] === undefined;

function isOf({ metadata, spec }: VolumeSnapshot, { metadata: { uid }, status }: PostgresVDB): boolean {
  if (metadata.labels?.[snapshotOfLabel] !== undefined) return metadata.labels[snapshotOfLabel] === uid;
  const claim = spec.source.persistentVolumeClaimName;
  return claim !== undefined && contentsOf(status).some(({ claimName }) => claimName === claim);
}

const takenMs = ({ metadata, status }: VolumeSnapshot): number => Date.parse(status?.creationTime ?? metadata.creationTimestamp);

/** Pure: whether clients were let in when it was taken: actions take none with a shut gate. */
export function wasTakenOpen(snapshot: VolumeSnapshot, { status }: PostgresVDB): boolean {
  if (snapshot.metadata.labels?.[actionLabel] !== undefined) return true;
  const { claimName, openedTime } = status.content ?? {};
  const isOfPresent = snapshot.spec.source.persistentVolumeClaimName === claimName;
  return isOfPresent && openedTime !== undefined && takenMs(snapshot) >= Date.parse(openedTime);
}
