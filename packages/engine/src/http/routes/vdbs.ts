import { vdbById } from "../../catalogue/datasets.ts";
import { requestVdbDeletion, requestVdbSnapshot } from "../../catalogue/requests.ts";
import type { JobRow, VdbRow } from "../../catalogue/rows.ts";
import { submitJob } from "../../jobs/submit.ts";
import { conflict, notFound } from "../api-error.ts";
import { deleteVdbBody, disableVdbBody, enableVdbBody } from "../contract/bodies.ts";
import type { BodyRules } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import type { ApiState } from "../state.ts";
import { viewJob } from "../views.ts";

const alive = (submit: (vdb: VdbRow) => JobRow) => (vdb: VdbRow) => {
  if (vdb.state === "deleting") throw conflict(`VDB ${vdb.name} is being deleted`);
  return submit(vdb);
};

/** What can be asked of a VDB that exists. */
export const vdbRoutes = (state: ApiState): readonly Route[] => {
  const action = (name: string, body: BodyRules, submit: (vdb: VdbRow) => JobRow): Route =>
    acting({ path: `/vdbs/:id/${name}`, body }, (_, { params: { id = "" } }) => {
      const vdb = vdbById(state.catalogue, id);
      if (vdb === undefined) throw notFound("VDB", id);
      const job = submit(vdb);
      state.runner.wake();
      return ok({ job: viewJob(state, job) });
    });
  const setEnabled = (type: "DB_ENABLE" | "DB_DISABLE") =>
    alive((vdb) => submitJob(state.catalogue, { type, targetId: vdb.id, targetName: vdb.name }));
  return [
    action("delete", deleteVdbBody, (vdb) => requestVdbDeletion(state.catalogue, vdb)),
    action("enable", enableVdbBody, setEnabled("DB_ENABLE")),
    action("disable", disableVdbBody, setEnabled("DB_DISABLE")),
    action(
      "snapshots",
      {},
      alive((vdb) => requestVdbSnapshot(state.catalogue, vdb)),
    ),
  ];
};
