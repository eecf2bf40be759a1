import { readySnapshot, readySnapshots } from "../../catalogue/datasets.ts";
import { requestSnapshotDeletion } from "../../catalogue/requests.ts";
import { notFound } from "../api-error.ts";
import { pageOf, pageQueryOf } from "../page.ts";
import { type ApiRequest, ok, type Route } from "../router.ts";
import type { ApiState } from "../state.ts";
import { viewJob, viewSnapshot } from "../views.ts";

export const snapshotRoutes = (state: ApiState): readonly Route[] => {
  const { catalogue, runner } = state;
  const ofDataset = ({ params: { id = "" }, query }: ApiRequest) => {
    const snapshots = readySnapshots(catalogue).filter((one) => one.dataset_id === id);
    return ok(
      pageOf(
        snapshots.map((row) => viewSnapshot(state, row)),
        pageQueryOf(query, ["id", "timestamp", "creation_time"], "id"),
      ),
    );
  };
  const remove = ({ params: { id = "" } }: ApiRequest) => {
    const snapshot = readySnapshot(catalogue, id);
    if (snapshot === undefined) throw notFound("snapshot", id);
    const job = requestSnapshotDeletion(catalogue, snapshot);
    runner.wake();
    return ok({ job: viewJob(state, job) });
  };
  return [
    { method: "GET", path: "/vdbs/:id/snapshots", handle: ofDataset },
    { method: "GET", path: "/dsources/:id/snapshots", handle: ofDataset },
    { method: "DELETE", path: "/snapshots/:id", handle: remove },
    { method: "POST", path: "/snapshots/:id/delete", handle: remove },
  ];
};
