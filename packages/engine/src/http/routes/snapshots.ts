import { DecodeError, type Decoder } from "@vdb/dct";
import { dSourceById, readySnapshot, readySnapshots, vdbById } from "../../catalogue/datasets.ts";
import type { SnapshotRow } from "../../catalogue/rows.ts";
import { deleteSnapshot } from "../../jobs/delete-snapshot.ts";
import { updateSnapshot } from "../../jobs/update.ts";
import { badRequest, notFound } from "../../refusal.ts";
import { dateTime, location as locationText } from "../../text-rules.ts";
import { changed } from "../changed.ts";
import { sortableFields } from "../collection.ts";
import { deleteSnapshotBody, updateSnapshotBody } from "../contract/bodies.ts";
import { pageQuery } from "../contract/queries.ts";
import type { BodyRules } from "../contract/rules.ts";
import { snapshots } from "../dataset-collections.ts";
import { pageOf, pageQueryOf } from "../page.ts";
import { acting, ok, type Route, reading } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";
import { viewSnapshot } from "../views.ts";

export const snapshotRoutes = (state: ApiState): readonly Route[] => {
  const { catalogue } = state;
  const of = (datasetId: string) => readySnapshots(catalogue).filter((one) => one.dataset_id === datasetId);
  const ofDataset = (path: string, what: string, exists: (id: string) => boolean): Route =>
    reading(path, pageQuery, ({ params: { id = "" }, query }) => {
      if (!exists(id)) throw notFound(what, id);
      const found = of(id).map((row) => viewSnapshot(state, row));
      return ok(pageOf(found, pageQueryOf(query, sortableFields(snapshots.fields), snapshots.defaultSort)));
    });
  const find = (by: "timestamp" | "location", fits: (row: SnapshotRow, wanted: string) => boolean): Route =>
    reading(`/snapshots/find_by_${by}`, { dataset_id: "served", [by]: "served" }, ({ query }) => {
      const datasetId = needed(query, "dataset_id");
      const wanted = needed(query, by);
      inQuery(by === "timestamp" ? dateTime : locationText, wanted, by);
      if (dSourceById(catalogue, datasetId) === undefined && vdbById(catalogue, datasetId) === undefined)
        throw notFound("dSource or VDB", datasetId);
      const found = of(datasetId).filter((row) => fits(row, wanted));
      return ok({ items: found.map((row) => viewSnapshot(state, row)) });
    });
  const remove = (method: "DELETE" | "POST", path: string, body: BodyRules) =>
    acting({ method, path, body }, (_, { params: { id = "" } }) => ok({ job: start(state, deleteSnapshot, id) }));
  return [
    ofDataset("/vdbs/:id/snapshots", "VDB", (id) => vdbById(catalogue, id) !== undefined),
    ofDataset("/dsources/:id/snapshots", "dSource", (id) => dSourceById(catalogue, id) !== undefined),
    find("timestamp", ({ timestamp = "" }, wanted) => Date.parse(timestamp) === Date.parse(wanted)),
    find("location", ({ location }, wanted) => location === wanted),
    reading("/snapshots/:id/runtime", {}, ({ params: { id = "" } }) => {
      if (readySnapshot(catalogue, id) === undefined) throw notFound("snapshot", id);
      return ok({ provisionable: true, missing_logs: [] });
    }),
    acting(
      { method: "PATCH", path: "/snapshots/:id", body: updateSnapshotBody },
      ({ expiration, retain_forever }, { params: { id = "" } }) =>
        ok({ job: start(state, updateSnapshot, { id, columns: changed({ expiration, retain_forever }) }) }),
    ),
    acting({ path: "/snapshots/:id/unset_expiration", body: {} }, (_, { params: { id = "" } }) =>
      ok({ job: start(state, updateSnapshot, { id, columns: { expiration: null, retain_forever: 0 } }) }),
    ),
    remove("DELETE", "/snapshots/:id", {}),
    remove("POST", "/snapshots/:id/delete", deleteSnapshotBody),
  ];
};

function inQuery(decode: Decoder<string>, given: string, parameter: string): void {
  try {
    decode(given, parameter);
  } catch (error) {
    throw error instanceof DecodeError ? badRequest(`${error.message}; write a + in a query as %2B`) : error;
  }
}

function needed(query: URLSearchParams, parameter: string): string {
  const given = query.get(parameter);
  if (given === null || given === "") throw badRequest(`query parameter ${parameter} is missing`);
  return given;
}
