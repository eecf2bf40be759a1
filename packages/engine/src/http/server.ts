import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Log } from "kube-runtime";
import { badRequest, Refusal, type RefusalKind, shown } from "../refusal.ts";
import { HttpError, otherMethods } from "./api-error.ts";
import { readBody } from "./body.ts";
import { type ApiAnswer, findRoute, type Route } from "./router.ts";

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly cert: string;
  /** The name of the caller whose API key this is; undefined: nobody's. */
  readonly callerOf: (apiKey: string) => string | undefined;
  readonly routes: readonly Route[];
  /** Answers /readyz: undefined when ready, else why not. */
  readonly notReadyBecause: () => Promise<string | undefined>;
  /** /readyz names it. */
  readonly poolFileSystem: string;
  /** Answers /metrics, in the Prometheus text format. */
  readonly metricsText: () => string;
  readonly log: Log;
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
}

/** The API under both base paths that DCT has had, the metrics, and the two health checks. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, port, key, cert } = options;
  const server = createServer(
    { key, cert, minVersion: "TLSv1.2", requestTimeout: 60_000 },
    (request, response) =>
      void respond(options, request, response).catch((error: unknown) => {
        // Whatever one request does, the engine goes on with the others.
        options.log.error({ err: error }, "cannot answer a request");
        response.destroy();
      }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 2_000).unref();
      await closed;
    },
  };
}

async function respond(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const from = performance.now();
  const caller = callerOf(options, request);
  const address = request.socket.remoteAddress; // later the connection may have ended
  const { status, body, headers } = await answer(options, request, caller).catch((error: unknown) => refusal(options.log, error));
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  record(options.log, request, { status, caller, address, milliseconds: Math.round(performance.now() - from) });
}

interface Served {
  readonly status: number;
  readonly caller: string | undefined;
  readonly address: string | undefined;
  readonly milliseconds: number;
}

/**
 * The access log: who changed what, and who was turned away. Reading is told on level debug, because clients that wait for a job read
 * all the time. A query may hold anything, the path holds ids alone.
 */
function record(
  log: Log,
  { method = "GET", url = "" }: IncomingMessage,
  { status, caller, address, milliseconds }: Served,
): void {
  const [path = ""] = url.split("?");
  if (isHealthCheck(path)) return;
  const facts = { method, path, status, key: caller, from: address, milliseconds };
  if (isReading(method, path) && status !== 401) log.debug(facts, "request");
  else log.info(facts, "request");
}

const isReading = (method: string, path: string): boolean => method === "GET" || method === "HEAD" || path.endsWith("/search");

/** A body that is a string is sent as it is, everything else as JSON. */
interface Answer extends ApiAnswer {
  readonly headers?: Readonly<Record<string, string>>;
}

async function answer(options: ServerOptions, request: IncomingMessage, caller: string | undefined): Promise<Answer> {
  const { method = "GET" } = request;
  const target = URL.parse(request.url ?? "/", "https://engine");
  if (target === null) throw badRequest("the request's target is not well-formed");
  const { pathname, searchParams: query } = target;
  if (isHealthCheck(pathname) && method !== "GET" && method !== "HEAD") throw otherMethods(method, pathname, ["GET", "HEAD"]);
  if (pathname === "/healthz") return { status: 200, body: { status: "alive" } };
  if (pathname === "/readyz") {
    const reason = await options.notReadyBecause();
    return reason === undefined
      ? { status: 200, body: { status: "ready", pool_file_system: options.poolFileSystem } }
      : { status: 503, body: { error: "not_ready", error_description: reason } };
  }
  // Public facts: an API browser loads them before anybody gives it a key.
  if (pathname === "/openapi.json" && (method === "GET" || method === "HEAD")) return await openApiDocument();
  if (caller === undefined) {
    throw new HttpError(
      401,
      "unauthorized",
      "the request has no valid API key: send Authorization: apk <key>, with DCT_KEY of Secret delphix-creds",
    );
  }
  if (pathname === "/metrics") {
    if (method !== "GET" && method !== "HEAD") throw otherMethods(method, pathname, ["GET", "HEAD"]);
    return { status: 200, body: options.metricsText(), headers: { "content-type": "text/plain; version=0.0.4" } };
  }
  const [, path] = /^\/(?:dct\/)?v3(\/.*)$/u.exec(pathname) ?? [];
  const hit = path === undefined ? undefined : findRoute(options.routes, method, path);
  if (hit === undefined) throw new HttpError(404, "not_found", `this engine does not serve ${method} ${shown(pathname)}`);
  if (hit.kind === "otherMethods") throw otherMethods(method, shown(pathname), hit.allowed);
  return hit.route.handle({ params: hit.params, query, body: await readBody(request) });
}

async function openApiDocument(): Promise<Answer> {
  const { openApi } = await import("./openapi.ts");
  return { status: 200, body: JSON.parse(openApi), headers: { "access-control-allow-origin": "*" } };
}

const isHealthCheck = (pathname: string): boolean => pathname === "/healthz" || pathname === "/readyz";

function callerOf({ callerOf: nameOf }: ServerOptions, { headers }: IncomingMessage): string | undefined {
  const [, key] = /^apk (\S+)$/u.exec(headers.authorization ?? "") ?? [];
  return key === undefined ? undefined : nameOf(key);
}

const statusOf: Readonly<Record<RefusalKind, readonly [status: number, code: string]>> = {
  badRequest: [400, "bad_request"],
  notFound: [404, "not_found"],
  conflict: [409, "conflict"],
};

function refusal(log: Log, error: unknown): Answer {
  if (error instanceof HttpError)
    return {
      status: error.status,
      body: { error: error.code, error_description: error.message.slice(0, 1024) },
      headers: error.headers,
    };
  if (error instanceof Refusal) {
    const [status, code] = statusOf[error.kind];
    return refusal(log, new HttpError(status, code, error.message));
  }
  if (error instanceof URIError)
    return { status: 400, body: { error: "bad_request", error_description: "the path is not well-formed" } };
  if (error instanceof Error && "code" in error && error.code === "ECONNRESET")
    return { status: 400, body: { error: "bad_request", error_description: "the request ended within its body" } };
  log.error({ err: error }, "a request failed");
  return { status: 500, body: { error: "internal", error_description: "the engine failed; its log says why" } };
}
