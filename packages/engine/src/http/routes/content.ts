import type { Point } from "../../jobs/choose-point.ts";
import { refreshVdb, rollbackVdb } from "../../jobs/refresh-vdb.ts";
import { switchTimeflow, undoRefresh } from "../../jobs/switch-timeflow.ts";
import {
  bookmarkPointBody,
  refreshLocationBody,
  refreshTimestampBody,
  rollbackTimestampBody,
  snapshotPointBody,
  switchTimeflowBody,
} from "../contract/bodies.ts";
import type { BodyOf, BodyRules } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";

const atSnapshot = ({ snapshot_id }: BodyOf<typeof snapshotPointBody>): Point => ({ by: "snapshot", snapshotId: snapshot_id });
const atBookmark = ({ bookmark_id }: BodyOf<typeof bookmarkPointBody>): Point => ({ by: "bookmark", bookmarkId: bookmark_id });

/** What gives a VDB other data: its parent's (refresh), its own of earlier (rollback), or another of its timeflows. */
export const contentRoutes = (state: ApiState): readonly Route[] => {
  const change = <R extends BodyRules>(
    operation: string,
    body: R,
    job: typeof refreshVdb,
    pointOf: (given: BodyOf<R>) => Point,
  ): Route =>
    acting({ path: `/vdbs/:id/${operation}`, body }, (given, { params: { id = "" } }) =>
      ok({ job: start(state, job, { vdbId: id, point: pointOf(given) }) }),
    );
  return [
    change("refresh_by_snapshot", snapshotPointBody, refreshVdb, atSnapshot),
    change("refresh_from_bookmark", bookmarkPointBody, refreshVdb, atBookmark),
    change("refresh_by_timestamp", refreshTimestampBody, refreshVdb, ({ timestamp, timeflow_id, dataset_id }) => ({
      by: "timestamp",
      timestamp,
      timeflowId: timeflow_id,
      datasetId: dataset_id,
    })),
    change("refresh_by_location", refreshLocationBody, refreshVdb, ({ location, timeflow_id, dataset_id }) => ({
      by: "location",
      location,
      timeflowId: timeflow_id,
      datasetId: dataset_id,
    })),
    change("rollback_by_snapshot", snapshotPointBody, rollbackVdb, atSnapshot),
    change("rollback_from_bookmark", bookmarkPointBody, rollbackVdb, atBookmark),
    change("rollback_by_timestamp", rollbackTimestampBody, rollbackVdb, ({ timestamp, timeflow_id }) => ({
      by: "timestamp",
      timestamp,
      timeflowId: timeflow_id,
    })),
    acting({ path: "/vdbs/:id/undo_refresh", body: {} }, (_, { params: { id = "" } }) =>
      ok({ job: start(state, undoRefresh, id) }),
    ),
    acting({ path: "/vdbs/:id/switch_timeflow", body: switchTimeflowBody }, ({ timeflow_id }, { params: { id = "" } }) =>
      ok({ job: start(state, switchTimeflow, { vdbId: id, timeflowId: timeflow_id }) }),
    ),
  ];
};
