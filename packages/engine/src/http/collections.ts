import { decodeJobRow } from "../catalogue/rows.ts";
import { jobById } from "../jobs/submit.ts";
import { type Collection, date, number, searchOnly, tagFields, text } from "./collection.ts";
import { pageQuery } from "./contract/queries.ts";
import { bookmarks, dSources, snapshots, sources, timeflows, vdbs } from "./dataset-collections.ts";
import { engines, environments, groups } from "./place-collections.ts";
import { viewJob } from "./views.ts";

const jobs: Collection = {
  path: "/jobs",
  what: "job",
  fields: {
    id: text,
    type: text,
    status: text,
    target_id: text,
    target_name: searchOnly.text,
    start_time: date,
    update_time: date,
    error_details: text,
    localized_type: text,
    account_id: number,
    account_name: text,
    engine_ids: searchOnly.text,
    "engines.engine_id": searchOnly.text,
    "engines.engine_name": searchOnly.text,
    ...tagFields,
  },
  defaultSort: "-start_time",
  tags: { table: "job" },
  query: pageQuery,
  large: [],
  all: (state) => state.catalogue.all(decodeJobRow, "SELECT * FROM job ORDER BY sequence").map((row) => viewJob(state, row)),
  byId: (state, id) => {
    const row = jobById(state.catalogue, id);
    return row === undefined ? undefined : viewJob(state, row);
  },
};

/** The kinds of objects that can be listed, searched and fetched, each with the fields that the contract lets callers use. */
export const collections: readonly Collection[] = [
  engines,
  environments,
  groups,
  dSources,
  sources,
  vdbs,
  snapshots,
  timeflows,
  bookmarks,
  jobs,
];
