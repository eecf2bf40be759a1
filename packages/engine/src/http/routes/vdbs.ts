import type { DefinedJob } from "../../jobs/define-job.ts";
import { deleteVdb } from "../../jobs/delete-vdb.ts";
import { disableVdb, enableVdb } from "../../jobs/set-enabled.ts";
import { snapshotVdb } from "../../jobs/snapshot-vdb.ts";
import { deleteVdbBody, disableVdbBody, enableVdbBody } from "../contract/bodies.ts";
import type { BodyRules } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";

/** What can be asked of a VDB by its id alone. */
export const vdbRoutes = (state: ApiState): readonly Route[] => {
  const action = (name: string, body: BodyRules, job: DefinedJob<string>): Route =>
    acting({ path: `/vdbs/:id/${name}`, body }, (_, { params: { id = "" } }) => ok({ job: start(state, job, id) }));
  return [
    action("delete", deleteVdbBody, deleteVdb),
    action("enable", enableVdbBody, enableVdb),
    action("disable", disableVdbBody, disableVdb),
    action("snapshots", {}, snapshotVdb),
  ];
};
