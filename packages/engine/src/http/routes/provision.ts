import { provision } from "../../jobs/provision.ts";
import { dataOwnerSpec } from "../../link/owner.ts";
import { badRequest, shown } from "../../refusal.ts";
import { provisionBody } from "../contract/bodies.ts";
import type { BodyOf } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";

export const provisionRoute = (state: ApiState): Route =>
  acting({ path: "/vdbs/provision_by_snapshot", body: provisionBody }, (wanted) => {
    const job = start(state, provision, { ...wanted, owner: ownerOf(wanted) });
    return ok({ job, vdb_id: job.target_id });
  });

/** `appdata_source_params.ownership_spec`, "uid:gid": whom the data shall belong to. */
function ownerOf({ appdata_source_params }: BodyOf<typeof provisionBody>): string {
  const spec = appdata_source_params?.["ownership_spec"] ?? dataOwnerSpec;
  const [, uid = "", gid = ""] = typeof spec === "string" ? (/^(\d{1,10}):(\d{1,10})$/u.exec(spec) ?? []) : [];
  // 2^32 - 1 stands for "leave as it is" in chown(2).
  if (uid === "" || Number(uid) >= 2 ** 32 - 1 || Number(gid) >= 2 ** 32 - 1)
    throw badRequest(`appdata_source_params.ownership_spec: must be "uid:gid", not ${shown(JSON.stringify(spec))}`);
  return `${Number(uid)}:${Number(gid)}`;
}
