import type { Body } from "./body.ts";
import { type QueryRules, requireQuery } from "./contract/queries.ts";
import { isReserved } from "./contract/reserved.ts";
import { type BodyOf, type BodyRules, bodyDecoder } from "./contract/rules.ts";

export interface ApiRequest {
  /** The parts of the path that the route names, such as `id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Body;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

type Handled = ApiAnswer | Promise<ApiAnswer>;

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** `/vdbs/:id/delete`; the first route that fits is taken. */
  readonly path: string;
  readonly query: QueryRules;
  /** A GET's body means nothing and is not looked at. */
  readonly body: BodyRules;
  handle(request: ApiRequest): Handled;
}

export const ok = (body: unknown): ApiAnswer => ({ status: 200, body });

/** A route that reads; its query is checked by its table. */
export const reading = (path: string, query: QueryRules, handle: (request: ApiRequest) => Handled): Route => ({
  method: "GET",
  path,
  query,
  body: {},
  handle: (request) => {
    requireQuery(query, request.query);
    return handle(request);
  },
});

interface Acting<R extends BodyRules> {
  readonly method?: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: QueryRules;
  readonly body: R;
}

/** A route that changes something, or searches; query and body are checked by their tables. */
export const acting = <R extends BodyRules>(
  { method = "POST", path, query = {}, body }: Acting<R>,
  handle: (given: BodyOf<R>, request: ApiRequest) => Handled,
): Route => ({
  method,
  path,
  query,
  body,
  handle: (request) => {
    requireQuery(query, request.query);
    return handle(request.body.decode(bodyDecoder(body)), request);
  },
});

type Found =
  | { readonly kind: "route"; readonly route: Route; readonly params: Record<string, string> }
  /** The path is served, by other methods. */
  | { readonly kind: "otherMethods"; readonly allowed: readonly string[] };

/** The route for a path below the base path, with its parameters; undefined when there is none of this path. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found | undefined {
  const given = path.split("/");
  const allowed = new Set<string>();
  for (const route of routes) {
    const params = paramsOf(route.path.split("/"), given);
    if (params === undefined) continue;
    // A HEAD is a GET whose answer has no body; node leaves the body out.
    if (route.method === method || (route.method === "GET" && method === "HEAD")) return { kind: "route", route, params };
    for (const one of route.method === "GET" ? ["GET", "HEAD"] : [route.method]) allowed.add(one);
  }
  return allowed.size === 0 ? undefined : { kind: "otherMethods", allowed: [...allowed] };
}

function paramsOf(wanted: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const found = given[i] ?? "";
    if (part.startsWith(":")) {
      // A path of the API that is not served here must not be taken for an object that does not exist.
      if (found === "" || isReserved(found)) return undefined;
      params[part.slice(1)] = decodeURIComponent(found);
    } else if (part !== found) return undefined;
  }
  return params;
}
