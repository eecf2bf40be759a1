import { setImmediate } from "node:timers/promises";
import { notFound } from "../../refusal.ts";
import { type Collection, filterFields, sortableFields } from "../collection.ts";
import { collections } from "../collections.ts";
import { searchBody } from "../contract/bodies.ts";
import { compileFilter, looksAt } from "../filter/match.ts";
import { type Expression, parseFilter } from "../filter/parse.ts";
import { pageOf, pageQueryOf } from "../page.ts";
import { type ApiAnswer, acting, ok, type Route, reading } from "../router.ts";
import type { ApiState } from "../state.ts";

/** GET list, POST search and GET by id of every collection. */
export const listRoutes = (state: ApiState): readonly Route[] => {
  const inTurn = oneAtATime();
  return collections.flatMap((collection) => routesOf(state, collection, inTurn));
};

type InTurn = <T>(work: () => T) => Promise<T>;

/**
 * A list of many large objects takes this process some hundredths of a second. Many asked for at once are made one after the
 * other, with a turn of the event loop between: a probe is not answered after all of them, but after one.
 */
function oneAtATime(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(() => setImmediate()).then(work);
    last = done.catch(() => undefined);
    return done;
  };
}

function routesOf(state: ApiState, collection: Collection, inTurn: InTurn): readonly Route[] {
  const { path, what, query: queryRules } = collection;
  return [
    reading(path, queryRules, ({ query }) => inTurn(() => pageFrom(state, collection, query))),
    acting({ path: `${path}/search`, query: queryRules, body: searchBody }, ({ filter_expression }, { query }) =>
      inTurn(() =>
        pageFrom(state, collection, query, filter_expression === undefined ? undefined : parseFilter(filter_expression)),
      ),
    ),
    reading(`${path}/:id`, {}, async ({ params: { id = "" } }) => {
      const found = await collection.byId(state, id);
      if (found === undefined) throw notFound(what, id);
      return ok(found);
    }),
  ];
}

function pageFrom(state: ApiState, collection: Collection, query: URLSearchParams, filter?: Expression): ApiAnswer {
  const { fields, defaultSort, large } = collection;
  const page = pageQueryOf(query, sortableFields(fields), defaultSort);
  if (filter === undefined) return ok(pageOf(collection.all(state, false), page));
  const keep = compileFilter(filter, filterFields(fields));
  const whole = looksAt(filter, large);
  const kept = collection.all(state, whole).filter(keep);
  return ok(pageOf(whole ? kept.map((one) => without(one, large)) : kept, page));
}

const without = (object: { readonly id: string }, fields: readonly string[]): { readonly id: string } => ({
  ...Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field))),
  id: object.id,
});
