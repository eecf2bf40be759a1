import { bookmarkById } from "../../catalogue/bookmarks.ts";
import { createBookmark, deleteBookmark } from "../../jobs/bookmarks.ts";
import { existingVdb } from "../../jobs/require-vdb.ts";
import { updateBookmark } from "../../jobs/update.ts";
import { changed } from "../changed.ts";
import { sortableFields } from "../collection.ts";
import { bookmarkBody, searchBody, updateBookmarkBody } from "../contract/bodies.ts";
import { pageQuery } from "../contract/queries.ts";
import { bookmarks } from "../dataset-collections.ts";
import { filtered } from "../filter/filtered.ts";
import { pageOf, pageQueryOf } from "../page.ts";
import { type ApiAnswer, acting, ok, type Route, reading } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";
import { viewBookmark } from "../views.ts";

/** Making and deleting bookmarks, and those of one VDB; the others as every collection, see lists.ts. */
export const bookmarkRoutes = (state: ApiState): readonly Route[] => {
  const ofVdb = (id: string, query: URLSearchParams, filter?: string): ApiAnswer => {
    existingVdb(state.catalogue, id);
    const all = bookmarks
      .all(state, false)
      .filter((one) => "vdb_ids" in one && Array.isArray(one.vdb_ids) && one.vdb_ids.includes(id));
    return ok(pageOf(filtered(all, bookmarks.fields, filter), pageQueryOf(query, sortableFields(bookmarks.fields), "id")));
  };
  return [
    acting({ path: "/bookmarks", body: bookmarkBody }, (given) => {
      const { name, vdb_ids, snapshot_ids, bookmark_type, tags, expiration, retain_forever: retainForever = false } = given;
      const wanted = {
        expiration,
        retainForever,
        name,
        vdbIds: vdb_ids ?? [],
        snapshotIds: snapshot_ids ?? [],
        type: bookmark_type ?? "PRIVATE",
      };
      const job = start(state, createBookmark, { ...wanted, tags: tags ?? [] });
      const row = bookmarkById(state.catalogue, job.target_id ?? "");
      return { status: 201, body: { bookmark: row === undefined ? undefined : viewBookmark(state, row), job } };
    }),
    acting(
      { method: "PATCH", path: "/bookmarks/:id", body: updateBookmarkBody },
      ({ name, expiration, retain_forever }, { params: { id = "" } }) =>
        ok({ job: start(state, updateBookmark, { id, columns: changed({ name, expiration, retain_forever }) }) }),
    ),
    acting({ method: "DELETE", path: "/bookmarks/:id", body: {} }, (_, { params: { id = "" } }) =>
      ok({ job: start(state, deleteBookmark, id) }),
    ),
    reading("/vdbs/:id/bookmarks", pageQuery, ({ params: { id = "" }, query }) => ofVdb(id, query)),
    acting({ path: "/vdbs/:id/bookmarks/search", query: pageQuery, body: searchBody }, ({ filter_expression }, request) =>
      ofVdb(request.params["id"] ?? "", request.query, filter_expression),
    ),
  ];
};
