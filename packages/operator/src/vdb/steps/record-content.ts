import type { PostgresVDB, VdbContent } from "@vdb/api";
import type { VdbContext } from "../context.ts";

type Status = VdbContext["run"]["status"];
type Known = Partial<Omit<VdbContent, "id" | "madeBy">>;

/**
 * Writes down what becomes known of the present data in the draft of the status. Data that is still being made takes snapshot and
 * age from the source as it was resolved. Later the content alone tells them: an action may have put another in its place, and the
 * columns follow.
 */
export function recordContent({ run: { status }, contentId: id }: Pick<VdbContext, "run" | "contentId">, known: Known): void {
  const present = status.content?.id === id ? status.content : { id, madeBy: "create" as const };
  const isBeingMade = present.madeBy === "create" && present.handle === undefined;
  status.content = { ...present, ...(isBeingMade ? originOf(status) : {}), ...known };
  showContent(status, status.content);
}

function originOf({ dataTimestamp, source = {} }: Pick<PostgresVDB["status"], "dataTimestamp" | "source">): Known {
  const { snapshotId, snapshotName } = source;
  const snapshot = {
    ...(snapshotId === undefined ? {} : { id: snapshotId }),
    ...(snapshotName === undefined ? {} : { name: snapshotName }),
  };
  return {
    ...(dataTimestamp === undefined ? {} : { dataTimestamp }),
    ...(Object.keys(snapshot).length === 0 ? {} : { snapshot }),
  };
}

/** What people read beside the content: claim, age, snapshot. What is unknown of this data is not shown of other data. */
function showContent(status: Status, { claimName, dataTimestamp, snapshot = {} }: VdbContent): void {
  if (claimName !== undefined) status.pvcName = claimName;
  if (dataTimestamp === undefined) delete status.dataTimestamp;
  else status.dataTimestamp = dataTimestamp;
  if (status.source === undefined) return;
  const { snapshotId: _, snapshotName: __, ...source } = status.source;
  const { id: snapshotId, name: snapshotName } = snapshot;
  status.source = {
    ...source,
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(snapshotName === undefined ? {} : { snapshotName }),
  };
}
