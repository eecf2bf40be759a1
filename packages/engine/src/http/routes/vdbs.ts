import type { DefinedJob } from "../../jobs/define-job.ts";
import { deleteVdb } from "../../jobs/delete-vdb.ts";
import { livingVdb } from "../../jobs/require-vdb.ts";
import { disableVdb, enableVdb } from "../../jobs/set-enabled.ts";
import { snapshotVdb } from "../../jobs/snapshot-vdb.ts";
import { startVdb, stopVdb } from "../../jobs/start-stop.ts";
import { updateVdb } from "../../jobs/update.ts";
import { placeOfTimeflow } from "../../pool/places.ts";
import { changed } from "../changed.ts";
import {
  deleteVdbBody,
  disableVdbBody,
  enableVdbBody,
  lockBody,
  startBody,
  stopBody,
  updateVdbBody,
} from "../contract/bodies.ts";
import type { BodyOf, BodyRules } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";
import { theAccount, viewVdb } from "../views.ts";

/** What can be asked of a VDB by its id alone. */
export const vdbRoutes = (state: ApiState): readonly Route[] => {
  const action = (name: string, body: BodyRules, job: DefinedJob<string>): Route =>
    acting({ path: `/vdbs/:id/${name}`, body }, (_, { params: { id = "" } }) => ok({ job: start(state, job, id) }));
  const { catalogue } = state;
  /** Answers with the VDB: nothing takes time here. */
  const locking = <R extends BodyRules>(name: string, body: R, by: (given: BodyOf<R>) => number | null): Route =>
    acting({ path: `/vdbs/:id/${name}`, body }, (given, { params: { id = "" } }) => {
      const vdb = catalogue.transaction(() => {
        livingVdb(catalogue, id);
        catalogue.run("UPDATE vdb SET locked_by = ? WHERE id = ?", by(given), id);
        return livingVdb(catalogue, id);
      });
      return ok(viewVdb(state, vdb, state.sizes.known(placeOfTimeflow(vdb.timeflow_id))));
    });
  return [
    action("delete", deleteVdbBody, deleteVdb),
    action("enable", enableVdbBody, enableVdb),
    action("disable", disableVdbBody, disableVdb),
    action("start", startBody, startVdb),
    action("stop", stopBody, stopVdb),
    action("snapshots", {}, snapshotVdb),
    acting({ method: "PATCH", path: "/vdbs/:id", body: updateVdbBody }, (given, { params: { id = "" } }) => {
      const {
        name,
        description,
        mount_point,
        appdata_source_params: source_params,
        appdata_config_params: config_params,
      } = given;
      const columns = changed({ name, description, mount_point, source_params, config_params });
      return ok({ job: start(state, updateVdb, { id, columns }) });
    }),
    locking("lock", lockBody, ({ account_id = theAccount.id }) => account_id),
    locking("unlock", {}, () => null),
  ];
};
