import { allBookmarks, bookmarkById } from "../catalogue/bookmarks.ts";
import {
  allDSources,
  allVdbs,
  dSourceById,
  readySnapshot,
  readySnapshots,
  readyTimeflow,
  readyTimeflows,
  vdbById,
} from "../catalogue/datasets.ts";
import { paramsOfAllVdbs, paramsOfVdb } from "../catalogue/vdb-params.ts";
import { placeOfTimeflow } from "../pool/places.ts";
import { boolean, type Collection, date, engineFields, number, searchOnly, tagFields, text } from "./collection.ts";
import { pageQuery, permittedPageQuery } from "./contract/queries.ts";
import {
  dSourceOf,
  placeOfDSource,
  viewBookmark,
  viewDSource,
  viewSnapshot,
  viewSource,
  viewTimeflow,
  viewVdb,
  viewVdbParams,
} from "./views.ts";

const dataset = {
  id: text,
  name: text,
  ...engineFields,
  group_name: text,
  database_type: text,
  database_version: text,
  status: text,
  enabled: boolean,
  is_appdata: searchOnly.boolean,
  content_type: searchOnly.text,
  is_replica: searchOnly.boolean,
  creation_date: date,
  current_timeflow_id: searchOnly.text,
  storage_size: number,
  size: number,
  ...tagFields,
} as const;

export const dSources: Collection = {
  path: "/dsources",
  what: "dSource",
  fields: { ...dataset, source_id: text },
  defaultSort: "id",
  tags: { table: "dsource" },
  query: permittedPageQuery,
  large: [],
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

/** What a dSource is linked to: one of each. */
export const sources: Collection = {
  path: "/sources",
  what: "source",
  fields: {
    id: text,
    name: text,
    database_type: text,
    database_version: text,
    is_dsource: boolean,
    is_replica: searchOnly.boolean,
    fqdn: text,
    ...tagFields,
  },
  defaultSort: "id",
  tags: { table: "dsource", column: "source_tags", key: dSourceOf },
  query: pageQuery,
  large: [],
  all: (state) => allDSources(state.catalogue).map((row) => viewSource(state, row)),
  byId: (state, id) => {
    const row = dSourceById(state.catalogue, dSourceOf(id));
    return row === undefined ? undefined : viewSource(state, row);
  },
};

export const vdbs: Collection = {
  path: "/vdbs",
  what: "VDB",
  fields: {
    ...dataset,
    database_name: searchOnly.text,
    environment_id: text,
    containerization_state: searchOnly.text,
    parent_id: text,
    parent_dsource_id: text,
    root_parent_id: searchOnly.text,
    previous_timeflow_id: searchOnly.text,
    parent_timeflow_timestamp: searchOnly.date,
    last_refreshed_date: date,
    mount_point: searchOnly.text,
    appdata_source_params: searchOnly.text,
    repository_id: searchOnly.text,
    is_locked: searchOnly.boolean,
    locked_by: number,
    locked_by_name: text,
  },
  defaultSort: "id",
  tags: { table: "vdb" },
  query: permittedPageQuery,
  large: ["appdata_source_params", "appdata_config_params"],
  all: (state, whole) => {
    const params = whole ? paramsOfAllVdbs(state.catalogue) : undefined;
    return allVdbs(state.catalogue).map((row) => ({
      ...viewVdb(state, row, state.sizes.known(placeOfTimeflow(row.timeflow_id))),
      ...viewVdbParams(params?.get(row.id)),
    }));
  },
  byId: async (state, id) => {
    // The row first: only the id of one is ever made part of a path.
    const row = vdbById(state.catalogue, id);
    if (row === undefined) return undefined;
    const bytes = await state.sizes.fresh(placeOfTimeflow(row.timeflow_id));
    return { ...viewVdb(state, row, bytes), ...viewVdbParams(paramsOfVdb(state.catalogue, row.id)) };
  },
};

export const snapshots: Collection = {
  path: "/snapshots",
  what: "snapshot",
  fields: {
    id: text,
    name: text,
    engine_id: text,
    dataset_id: text,
    timeflow_id: text,
    timestamp: date,
    start_timestamp: date,
    creation_time: date,
    location: text,
    consistency: text,
    version: text,
    temporary: boolean,
    timezone: text,
    expiration: date,
    retain_forever: boolean,
    effective_expiration: date,
    effective_retain_forever: boolean,
    is_replica: searchOnly.boolean,
    ...tagFields,
  },
  defaultSort: "id",
  tags: { table: "snapshot" },
  query: pageQuery,
  large: [],
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
    id: text,
    name: text,
    vdb_ids: text,
    dsource_ids: searchOnly.text,
    bookmark_status: searchOnly.text,
    bookmark_type: searchOnly.text,
    creation_date: date,
    expiration: searchOnly.date,
    ...tagFields,
  },
  defaultSort: "id",
  tags: { table: "bookmark" },
  query: pageQuery,
  large: [],
  all: (state) => allBookmarks(state.catalogue).map((row) => viewBookmark(state, row)),
  byId: (state, id) => {
    const row = bookmarkById(state.catalogue, id);
    return row === undefined ? undefined : viewBookmark(state, row);
  },
};

export const timeflows: Collection = {
  path: "/timeflows",
  what: "timeflow",
  fields: {
    id: text,
    engine_id: text,
    name: text,
    dataset_id: text,
    creation_type: text,
    parent_snapshot_id: text,
    parent_point_location: text,
    parent_point_timestamp: date,
    parent_point_timeflow_id: text,
    is_replica: searchOnly.boolean,
    ...tagFields,
  },
  defaultSort: "id",
  tags: { table: "timeflow" },
  query: pageQuery,
  large: [],
  all: (state) => readyTimeflows(state.catalogue).map((row) => viewTimeflow(state, row)),
  byId: (state, id) => {
    const row = readyTimeflow(state.catalogue, id);
    return row === undefined ? undefined : viewTimeflow(state, row);
  },
};
