import type { Body } from "./body.ts";

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

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/vdbs/:id/delete`; the first route that fits is taken. */
  readonly path: string;
  handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer>;
}

export const ok = (body: unknown): ApiAnswer => ({ status: 200, body });

/** The route for a path below the base path, with its parameters; undefined when there is none. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | undefined {
  const given = path.split("/");
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = paramsOf(route.path.split("/"), given);
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

function paramsOf(wanted: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const found = given[i] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(found);
    else if (part !== found) return undefined;
  }
  return params;
}
