/** The kinds of objects that can be listed, searched and fetched, each with the fields that the contract lets callers use. */
import { allDSources, allVdbs, dSourceById, readySnapshot, readySnapshots, vdbById } from "../catalogue/datasets.ts";
import { allEnvironments, allGroups } from "../catalogue/places.ts";
import { decodeJobRow } from "../catalogue/rows.ts";
import { jobById } from "../jobs/submit.ts";
import type { FilterFields } from "./filter/match.ts";
import type { ApiState } from "./state.ts";
import {
  placeOfDSource,
  placeOfVdb,
  viewDSource,
  viewEngine,
  viewEnvironment,
  viewGroup,
  viewJob,
  viewSnapshot,
  viewVdb,
} from "./views.ts";

type Listed = { readonly id: string };

export interface Collection {
  readonly path: string;
  /** For messages: "there is no VDB 7". */
  readonly what: string;
  readonly fields: FilterFields;
  readonly sortable: readonly string[];
  readonly defaultSort: string;
  all(state: ApiState): readonly Listed[];
  /** One object, without making all of them; may count bytes that a list shows only when they are known. */
  byId(state: ApiState, id: string): Listed | undefined | Promise<Listed | undefined>;
}

const tagFields = { "tags.key": "text", "tags.value": "text" } as const;
const ofEngine = { engine_id: "text", engine_name: "text" } as const;
const dataset = {
  id: "text",
  name: "text",
  ...ofEngine,
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

/** For collections that hold a handful. */
const fewObjects = (all: Collection["all"]): Pick<Collection, "all" | "byId"> => ({
  all,
  byId: (state, id) => all(state).find((one) => one.id === id),
});

export const collections: readonly Collection[] = [
  {
    path: "/management/engines",
    what: "engine",
    fields: {
      id: "text",
      uuid: "text",
      name: "text",
      hostname: "text",
      type: "text",
      status: "text",
      connection_status: "text",
      version: "text",
    },
    sortable: ["id", "name", "hostname"],
    defaultSort: "id",
    ...fewObjects((state) => [viewEngine(state)]),
  },
  {
    path: "/environments",
    what: "environment",
    fields: {
      id: "text",
      name: "text",
      ...ofEngine,
      enabled: "boolean",
      "hosts.id": "text",
      "hosts.hostname": "text",
      "repositories.id": "text",
      "repositories.name": "text",
    },
    sortable: ["id", "name", "engine_id"],
    defaultSort: "id",
    ...fewObjects((state) => allEnvironments(state.catalogue).map((row) => viewEnvironment(state, row))),
  },
  {
    path: "/groups",
    what: "dataset group",
    fields: { id: "text", name: "text", ...ofEngine },
    sortable: ["id", "name", "engine_id"],
    defaultSort: "id",
    ...fewObjects((state) => allGroups(state.catalogue).map((row) => viewGroup(state, row))),
  },
  {
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
  },
  {
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
      const bytes = await state.sizes.fresh(placeOfVdb(id));
      const row = vdbById(state.catalogue, id);
      return row === undefined ? undefined : viewVdb(state, row, bytes);
    },
  },
  {
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
    all: ({ catalogue }) => readySnapshots(catalogue).map(viewSnapshot),
    byId: ({ catalogue }, id) => {
      const row = readySnapshot(catalogue, id);
      return row === undefined ? undefined : viewSnapshot(row);
    },
  },
  {
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
  },
  {
    path: "/jobs",
    what: "job",
    fields: {
      id: "text",
      type: "text",
      status: "text",
      target_id: "text",
      target_name: "text",
      start_time: "date",
      update_time: "date",
      error_details: "text",
    },
    sortable: ["id", "status", "type", "target_id", "start_time", "update_time"],
    defaultSort: "-start_time",
    all: (state) => state.catalogue.all(decodeJobRow, "SELECT * FROM job ORDER BY sequence").map((row) => viewJob(state, row)),
    byId: (state, id) => {
      const row = jobById(state.catalogue, id);
      return row === undefined ? undefined : viewJob(state, row);
    },
  },
];
