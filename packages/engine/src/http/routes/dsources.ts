import { allDSources, dSourceById } from "../../catalogue/datasets.ts";
import { insertDSource } from "../../catalogue/insert-dsource.ts";
import { allGroups } from "../../catalogue/places.ts";
import type { DSourceRow } from "../../catalogue/rows.ts";
import { decodeNewConnection } from "../../config/connection-fields.ts";
import { deleteDSource } from "../../jobs/delete-dsource.ts";
import { snapshotDSource } from "../../jobs/sync-dsource.ts";
import { badRequest, conflict, notFound } from "../../refusal.ts";
import { bodyOf } from "../body.ts";
import { deleteDSourceBody, linkBody, snapshotDSourceBody } from "../contract/bodies.ts";
import { acting, ok, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";
import { viewJob } from "../views.ts";

export const dSourceRoutes = (state: ApiState): readonly Route[] => [
  acting({ path: "/dsources/appdata", body: linkBody }, ({ name, group_id, parameters, tags = [] }) => {
    const connection = bodyOf(parameters).decode((value) => decodeNewConnection(value, "body.parameters"));
    const { catalogue, runner } = state;
    if (!allGroups(catalogue).some(({ id }) => id === group_id))
      throw badRequest(`group_id: there is no dataset group ${group_id}`);
    const { job, id } = catalogue.transaction(() => {
      if (allDSources(catalogue).some((one) => one.name === name && one.group_id === group_id))
        throw conflict(`a dSource ${name} already exists in this group`);
      const made = insertDSource(catalogue, { name, groupId: group_id, declared: false, connection, tags });
      return { job: snapshotDSource.request(state, { source: existing(state, made), madeBy: "link" }), id: made };
    });
    runner.wake();
    return ok({ job: viewJob(state, job), dsource_id: id });
  }),
  acting({ path: "/dsources/:id/snapshots", body: snapshotDSourceBody }, (_, { params: { id = "" } }) =>
    ok({ job: start(state, snapshotDSource, { source: existing(state, id), madeBy: "request" }) }),
  ),
  acting({ path: "/dsources/delete", body: deleteDSourceBody }, ({ dsource_id: id, force = false }) =>
    ok(start(state, deleteDSource, { id, force })),
  ),
];

function existing({ catalogue }: ApiState, id: string): DSourceRow {
  const source = dSourceById(catalogue, id);
  if (source === undefined) throw notFound("dSource", id);
  return source;
}
