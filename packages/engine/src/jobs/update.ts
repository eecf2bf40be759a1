/** Jobs that change what is written about an object: a name, a description, how long it is kept. Its data stays as it is. */
import { map, object } from "@vdb/dct";
import { bookmarkById } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { allVdbs, readySnapshot, vdbById } from "../catalogue/datasets.ts";
import type { VdbRow } from "../catalogue/rows.ts";
import { Failure } from "../failure.ts";
import { conflict, notFound } from "../refusal.ts";
import { type DefinedJob, defineJob } from "./define-job.ts";
import { livingVdb } from "./require-vdb.ts";

/** Columns with what they become; null takes away what is there. */
type Columns = Readonly<Record<string, string | number | null>>;

export interface WantedUpdate {
  readonly id: string;
  readonly columns: Columns;
}

interface Definition {
  readonly type: "DB_UPDATE" | "SNAPSHOT_UPDATE" | "BOOKMARK_UPDATE";
  readonly table: "vdb" | "snapshot" | "bookmark";
  /** The object's name; throws when it cannot be changed like this. */
  readonly accept: (catalogue: Catalogue, wanted: WantedUpdate) => string;
  /** Asked again when the job runs: another job may have come before it. */
  readonly stillFits?: (catalogue: Catalogue, wanted: WantedUpdate) => string | undefined;
}

const decodeColumns = object({ columns: map }, {});

const update = ({ type, table, accept, stillFits }: Definition): DefinedJob<WantedUpdate> =>
  defineJob({
    type,
    parameters: decodeColumns,
    holds: () => [],
    reserve: ({ catalogue }, wanted: WantedUpdate) => ({
      targetId: wanted.id,
      targetName: accept(catalogue, wanted),
      parameters: { columns: wanted.columns },
    }),
    run: async ({ catalogue, job }, { columns }) => {
      const problem = stillFits?.(catalogue, { id: job.target_id, columns: columnsOf(columns) });
      if (problem !== undefined) throw new Failure(problem);
      return () => {
        for (const [column, value] of Object.entries(columnsOf(columns)))
          catalogue.run(`UPDATE ${table} SET ${column} = ? WHERE id = ?`, value, job.target_id);
      };
    },
    undo: async () => () => undefined,
  });

/** What the catalogue gives back of the columns that were put in. */
const columnsOf = (given: Readonly<Record<string, unknown>>): Columns =>
  Object.fromEntries(
    Object.entries(given).map(([column, value]) => [
      column,
      typeof value === "string" || typeof value === "number" ? value : null,
    ]),
  );

export const updateVdb = update({
  type: "DB_UPDATE",
  table: "vdb",
  accept: (catalogue, wanted) => {
    const vdb = livingVdb(catalogue, wanted.id);
    const taken = namesakeOf(catalogue, vdb, wanted.columns);
    if (taken !== undefined) throw conflict(taken);
    return vdb.name;
  },
  stillFits: (catalogue, { id, columns }) => {
    const vdb = vdbById(catalogue, id);
    return vdb === undefined ? `VDB ${id} does not exist any more` : namesakeOf(catalogue, vdb, columns);
  },
});

function namesakeOf(catalogue: Catalogue, vdb: VdbRow, { name }: Columns): string | undefined {
  const other = allVdbs(catalogue).find((one) => one.name === name && one.group_id === vdb.group_id && one.id !== vdb.id);
  return other === undefined ? undefined : `a VDB ${other.name} already exists in this group: ${other.id}`;
}

export const updateSnapshot = update({
  type: "SNAPSHOT_UPDATE",
  table: "snapshot",
  accept: (catalogue, { id }) => {
    if (readySnapshot(catalogue, id) === undefined) throw notFound("snapshot", id);
    return id;
  },
});

export const updateBookmark = update({
  type: "BOOKMARK_UPDATE",
  table: "bookmark",
  accept: (catalogue, { id }) => {
    const bookmark = bookmarkById(catalogue, id);
    if (bookmark === undefined || bookmark.state === "deleting") throw notFound("bookmark", id);
    return bookmark.name;
  },
});
