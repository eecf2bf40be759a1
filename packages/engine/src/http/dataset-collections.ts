import { allDSources, allVdbs, dSourceById, readySnapshot, readySnapshots, vdbById } from "../catalogue/datasets.ts";
import { type Collection, engineFields, fewObjects, tagFields } from "./collection.ts";
import { placeOfDSource, placeOfVdb, viewDSource, viewSnapshot, viewVdb } from "./views.ts";

const dataset = {
  id: "text",
  name: "text",
  ...engineFields,
  group_name: "text",
  database_type: "text",
  database_version: "text",
  status: "text",
  enabled: "boolean",
  is_appdata: "boolean",
  creation_date: "date",
  current_timeflow_id: "text",
  storage_size: "number",
  size: "number",
  ...tagFields,
} as const;

export const dSources: Collection = {
  path: "/dsources",
  what: "dSource",
  fields: dataset,
  sortable: ["id", "name", "creation_date", "status"],
  defaultSort: "id",
  all: (state) =>
    allDSources(state.catalogue).map((row) => {
      const place = placeOfDSource(state, row);
      return viewDSource(state, row, place === undefined ? undefined : state.sizes.known(place));
    }),
  byId: async (state, id) => {
    const row = dSourceById(state.catalogue, id);
    const place = row === undefined ? undefined : placeOfDSource(state, row);
    return row === undefined
      ? undefined
      : viewDSource(state, row, place === undefined ? undefined : await state.sizes.fresh(place));
  },
};

export const vdbs: Collection = {
  path: "/vdbs",
  what: "VDB",
  fields: {
    ...dataset,
    database_name: "text",
    environment_id: "text",
    containerization_state: "text",
    parent_id: "text",
    parent_dsource_id: "text",
    root_parent_id: "text",
    parent_timeflow_timestamp: "date",
    mount_point: "text",
  },
  sortable: ["id", "name", "creation_date", "status"],
  defaultSort: "id",
  all: (state) => allVdbs(state.catalogue).map((row) => viewVdb(state, row, state.sizes.known(placeOfVdb(row.id)))),
  byId: async (state, id) => {
    // The row first: only the id of one is ever made part of a path.
    const row = vdbById(state.catalogue, id);
    return row === undefined ? undefined : viewVdb(state, row, await state.sizes.fresh(placeOfVdb(row.id)));
  },
};

export const snapshots: Collection = {
  path: "/snapshots",
  what: "snapshot",
  fields: {
    id: "text",
    name: "text",
    engine_id: "text",
    dataset_id: "text",
    timeflow_id: "text",
    timestamp: "date",
    creation_time: "date",
    location: "text",
    consistency: "text",
    version: "text",
    temporary: "boolean",
  },
  sortable: ["id", "name", "timestamp", "creation_time"],
  defaultSort: "id",
  all: (state) => readySnapshots(state.catalogue).map((row) => viewSnapshot(state, row)),
  byId: (state, id) => {
    const row = readySnapshot(state.catalogue, id);
    return row === undefined ? undefined : viewSnapshot(state, row);
  },
};

export const bookmarks: Collection = {
  path: "/bookmarks",
  what: "bookmark",
  fields: {
    id: "text",
    name: "text",
    vdb_ids: "text",
    dsource_ids: "text",
    bookmark_status: "text",
    bookmark_type: "text",
    creation_date: "date",
    ...tagFields,
  },
  sortable: ["id", "name", "creation_date"],
  defaultSort: "id",
  ...fewObjects(() => []),
};
