import { allDSources, allVdbs, dSourceById } from "../../catalogue/datasets.ts";
import { allGroups } from "../../catalogue/places.ts";
import { insertDSource, requestDSourceDeletion, requestSourceSnapshot } from "../../catalogue/requests.ts";
import type { DSourceRow } from "../../catalogue/rows.ts";
import { decodeNewConnection } from "../../config/connection-fields.ts";
import { badRequest, conflict, notFound } from "../api-error.ts";
import { bodyOf } from "../body.ts";
import { deleteDSourceBody, linkBody, snapshotDSourceBody } from "../contract/bodies.ts";
import { acting, ok, type Route } from "../router.ts";
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
      return { job: requestSourceSnapshot(catalogue, existing(state, made), "link"), id: made };
    });
    runner.wake();
    return ok({ job: viewJob(state, job), dsource_id: id });
  }),
  acting({ path: "/dsources/:id/snapshots", body: snapshotDSourceBody }, (_, { params: { id = "" } }) => {
    const source = existing(state, id);
    if (source.state === "deleting") throw conflict(`dSource ${source.name} is being deleted`);
    const job = requestSourceSnapshot(state.catalogue, source, "request");
    state.runner.wake();
    return ok({ job: viewJob(state, job) });
  }),
  acting({ path: "/dsources/delete", body: deleteDSourceBody }, ({ dsource_id, force = false }) => {
    const source = existing(state, dsource_id);
    // Their data would stay; but they could never be refreshed again, and nobody would see why.
    const dependents = allVdbs(state.catalogue).filter((vdb) => vdb.parent_dsource_id === dsource_id);
    if (dependents.length > 0 && !force) {
      throw conflict(
        `dSource ${source.name} has VDBs: ${dependents.map(({ name }) => name).join(", ")}; delete them first, or send force: true`,
      );
    }
    const job = requestDSourceDeletion(state.catalogue, source);
    state.runner.wake();
    return ok(viewJob(state, job));
  }),
];

function existing({ catalogue }: ApiState, id: string): DSourceRow {
  const source = dSourceById(catalogue, id);
  if (source === undefined) throw notFound("dSource", id);
  return source;
}
