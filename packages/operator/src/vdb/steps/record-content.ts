import type { PostgresVDB, VdbContent } from "@vdb/api";
import type { VdbContext } from "../context.ts";

type Known = Partial<Omit<VdbContent, "id" | "madeBy" | "snapshot" | "dataTimestamp">>;

/**
 * Writes down what becomes known of the present data in the draft of the status. Snapshot and age are those that the status
 * tells of the source.
 */
export function recordContent({ run: { status }, contentId: id }: Pick<VdbContext, "run" | "contentId">, known: Known): void {
  const present = status.content?.id === id ? status.content : { id, madeBy: "create" as const };
  status.content = { ...present, ...originOf(status), ...known };
}

function originOf({ dataTimestamp, source = {} }: Pick<PostgresVDB["status"], "dataTimestamp" | "source">) {
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
