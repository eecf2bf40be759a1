import { object, string } from "@vdb/dct";
import { notFound } from "../api-error.ts";
import type { Collection } from "../collection.ts";
import { collections } from "../collections.ts";
import { compileFilter } from "../filter/match.ts";
import { parseFilter } from "../filter/parse.ts";
import { pageOf, pageQueryOf } from "../page.ts";
import { type ApiRequest, ok, type Route } from "../router.ts";
import type { ApiState } from "../state.ts";

const decodeSearch = object({}, { filter_expression: string });

/** GET list, POST search and GET by id of every collection. */
export const listRoutes = (state: ApiState): readonly Route[] => collections.flatMap((collection) => routesOf(state, collection));

function routesOf(state: ApiState, collection: Collection): readonly Route[] {
  const { path, what, fields, sortable, defaultSort } = collection;
  const page = ({ query }: ApiRequest, keep: (one: object) => boolean) =>
    ok(pageOf(collection.all(state).filter(keep), pageQueryOf(query, sortable, defaultSort)));
  return [
    { method: "GET", path, handle: (request) => page(request, () => true) },
    {
      method: "POST",
      path: `${path}/search`,
      handle: (request) => {
        const { filter_expression } = request.body.decode(decodeSearch);
        return page(
          request,
          filter_expression === undefined ? () => true : compileFilter(parseFilter(filter_expression), fields),
        );
      },
    },
    {
      method: "GET",
      path: `${path}/:id`,
      handle: async ({ params: { id = "" } }) => {
        const found = await collection.byId(state, id);
        if (found === undefined) throw notFound(what, id);
        return ok(found);
      },
    },
  ];
}
