import { allVdbs, dSourceById, latestSnapshot, readySnapshot, vdbById } from "../../catalogue/datasets.ts";
import { engineId } from "../../catalogue/engine-row.ts";
import { allEnvironments, allGroups } from "../../catalogue/places.ts";
import type { SnapshotRow } from "../../catalogue/rows.ts";
import { pointOfBookmark, pointOfDataset } from "../../jobs/choose-point.ts";
import { provision } from "../../jobs/provision.ts";
import { dataOwnerSpec } from "../../link/owner.ts";
import { badRequest, conflict, notFound, shown } from "../../refusal.ts";
import { compatibleBodies, pointBodies, provisionBodies, vdbFields } from "../contract/bodies.ts";
import { type BodyOf, type BodyRules, bodyDecoder } from "../contract/rules.ts";
import { acting, ok, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";
import { viewEnvironment } from "../views.ts";

type Given<K extends keyof typeof pointBodies> = BodyOf<(typeof pointBodies)[K]>;

/**
 * Making a VDB of a point in time that is named in one of four ways. For each of them there are also the parameters that the engine
 * would fill in, and the environments where the VDB can be.
 */
export const provisionRoutes = (state: ApiState): readonly Route[] => {
  const { catalogue } = state;
  const atTimestamp = ({ timestamp, timeflow_id, source_data_id }: Partial<Given<"byTimestamp">>): Origin =>
    named(pointOfDataset(catalogue, { by: "timestamp", timestamp, timeflowId: timeflow_id, datasetId: source_data_id }));
  const atLocation = ({ location, timeflow_id, source_data_id }: Given<"byLocation">): Origin =>
    named(pointOfDataset(catalogue, { by: "location", location, timeflowId: timeflow_id, datasetId: source_data_id }));
  const atBookmark = ({ bookmark_id }: Given<"fromBookmark">): Origin => named(pointOfBookmark(catalogue, bookmark_id));

  const making = <R extends BodyRules>(path: string, body: R, originOf: (given: BodyOf<R>) => Origin): Route =>
    acting({ path: `/vdbs/${path}`, body }, (given, request) => {
      const fields = request.body.decode(bodyDecoder(vdbFields));
      const job = catalogue.transaction(() => {
        const wanted = { ...fields, ...originOf(given) };
        return start(state, provision, { ...wanted, owner: ownerOf(wanted) });
      });
      return ok({ job, vdb_id: job.target_id });
    });
  /** Those that this way to provision knows. */
  const defaults = <R extends BodyRules>(
    path: string,
    body: R,
    originOf: (given: BodyOf<R>) => Origin,
    whole: BodyRules,
  ): Route =>
    acting({ path: `/vdbs/${path}/defaults`, body }, (given) => {
      const all = Object.entries(defaultsFor(state, originOf(given)));
      return ok({ ...given, ...Object.fromEntries(all.filter(([field]) => Object.hasOwn(whole, field))) });
    });
  const compatible = <R extends BodyRules>(path: string, body: R, originOf: (given: BodyOf<R>) => Origin): Route =>
    acting({ path: `/environments/compatible_repositories_${path}`, body }, (given) => {
      snapshotOf(state, originOf(given));
      const wanted = "environment_id" in given ? given.environment_id : undefined;
      const all = allEnvironments(catalogue).filter(({ id }) => wanted === undefined || id === wanted);
      return ok({ items: all.map((row) => viewEnvironment(state, row)) });
    });

  return [
    making("provision_by_snapshot", provisionBodies.bySnapshot, atSnapshot),
    making("provision_by_timestamp", provisionBodies.byTimestamp, atTimestamp),
    making("provision_by_location", provisionBodies.byLocation, atLocation),
    making("provision_from_bookmark", provisionBodies.fromBookmark, atBookmark),
    defaults("provision_by_snapshot", pointBodies.bySnapshot, atSnapshot, provisionBodies.bySnapshot),
    defaults("provision_by_timestamp", pointBodies.byTimestamp, atTimestamp, provisionBodies.byTimestamp),
    defaults("provision_by_location", pointBodies.byLocation, atLocation, provisionBodies.byLocation),
    defaults("provision_from_bookmark", pointBodies.fromBookmark, atBookmark, provisionBodies.fromBookmark),
    compatible("by_snapshot", compatibleBodies.bySnapshot, atSnapshot),
    compatible("by_timestamp", compatibleBodies.byTimestamp, atTimestamp),
    compatible("by_location", compatibleBodies.byLocation, atLocation),
    compatible("from_bookmark", compatibleBodies.fromBookmark, atBookmark),
  ];
};

/** Of a VDB without a snapshot's id the job takes one as of now: none is named here. */
const atSnapshot = ({ snapshot_id, source_data_id }: Given<"bySnapshot">): Origin => ({
  ...(snapshot_id === undefined ? {} : { snapshot_id }),
  ...(source_data_id === undefined ? {} : { source_data_id }),
});
const named = ({ id }: SnapshotRow): Origin => ({ snapshot_id: id });

/** What a VDB begins with: a snapshot, or the newest data of a dataset. */
interface Origin {
  readonly snapshot_id?: string;
  readonly source_data_id?: string;
}

/** The snapshot of an origin; undefined of a VDB's data as it is now. */
function snapshotOf({ catalogue }: ApiState, { snapshot_id, source_data_id }: Origin): SnapshotRow | undefined {
  if (snapshot_id !== undefined) {
    const snapshot = readySnapshot(catalogue, snapshot_id);
    if (snapshot === undefined) throw notFound("snapshot", snapshot_id);
    return snapshot;
  }
  if (source_data_id === undefined) throw badRequest("body: must contain snapshot_id or source_data_id");
  if (vdbById(catalogue, source_data_id) !== undefined) return undefined;
  const source = dSourceById(catalogue, source_data_id);
  if (source === undefined) throw notFound("dSource or VDB", source_data_id);
  const latest = latestSnapshot(catalogue, source_data_id);
  if (latest === undefined) throw conflict(`${source.name} has no snapshot yet: take one first`);
  return latest;
}

/** A whole set of parameters that a provision accepts as it is. */
function defaultsFor(state: ApiState, origin: Origin): Readonly<Record<string, unknown>> {
  const { catalogue } = state;
  const snapshot = snapshotOf(state, origin);
  const sourceId = snapshot?.dataset_id ?? origin.source_data_id ?? "";
  const [group] = allGroups(catalogue);
  const [environment] = allEnvironments(catalogue);
  const name = freeName(state, dSourceById(catalogue, sourceId)?.name ?? vdbById(catalogue, sourceId)?.name ?? "VDB");
  return {
    source_data_id: sourceId,
    engine_id: engineId(catalogue),
    ...(snapshot === undefined ? {} : { snapshot_id: snapshot.id }),
    name,
    database_name: name,
    ...(group === undefined ? {} : { target_group_id: group.id }),
    ...(environment === undefined ? {} : { environment_id: environment.id, repository_id: environment.repository_id }),
    auto_select_repository: false,
    vdb_restart: true,
    appdata_source_params: { ownership_spec: dataOwnerSpec },
    appdata_config_params: {},
  };
}

function freeName({ catalogue }: ApiState, origin: string): string {
  const taken = new Set(allVdbs(catalogue).map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = `${Array.from(origin).slice(0, 240).join("").trim()}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** `appdata_source_params.ownership_spec`, "uid:gid": whom the data shall belong to. */
function ownerOf({ appdata_source_params }: Pick<BodyOf<typeof vdbFields>, "appdata_source_params">): string {
  const spec = appdata_source_params?.["ownership_spec"] ?? dataOwnerSpec;
  const [, uid = "", gid = ""] = typeof spec === "string" ? (/^(\d{1,10}):(\d{1,10})$/u.exec(spec) ?? []) : [];
  // 2^32 - 1 stands for "leave as it is" in chown(2).
  if (uid === "" || Number(uid) >= 2 ** 32 - 1 || Number(gid) >= 2 ** 32 - 1)
    throw badRequest(`appdata_source_params.ownership_spec: must be "uid:gid", not ${shown(JSON.stringify(spec))}`);
  return `${Number(uid)}:${Number(gid)}`;
}
