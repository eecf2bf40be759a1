import { once } from "node:events";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Connection } from "../connection/connection.ts";
import { connectionLink } from "../http/connection-link.ts";
import { type Certificate, selfSignedCertificate } from "./certificate.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** What is answered instead of what the API server would say. */
export interface FaultAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
  /** When it arrived, by `performance.now()` of the test's process. */
  readonly atMs: number;
}

/** What was asked, and with what status it was answered: undefined while it is under way, or when its client went away. */
export interface ProxiedExchange extends ProxiedRequest {
  status: number | undefined;
}

/**
 * An API server with faults on the way to it: those of a network (`tcp`) and answers that it did not give (`answerWith`).
 * It speaks HTTP/2 and HTTP/1.1, whichever the client wants.
 */
export interface FaultProxy extends AsyncDisposable {
  readonly connection: Connection;
  readonly url: URL;
  readonly ca: string;
  readonly tcp: TcpProxy;
  /** Asked for every request; undefined passes it on. */
  readonly answerWith: (rule: (request: ProxiedRequest) => FaultAnswer | undefined) => void;
  readonly requests: () => readonly ProxiedExchange[];
}

export async function startFaultProxy(target: Connection): Promise<FaultProxy> {
  const certificate = await selfSignedCertificate();
  const requests: ProxiedExchange[] = [];
  const state: { rule: (request: ProxiedRequest) => FaultAnswer | undefined } = { rule: () => undefined };
  const { port, close } = await startTls(certificate, target, (request) => {
    requests.push(request);
    return state.rule(request);
  });
  const tcp = await startTcpProxy(port);
  const url = new URL(`https://127.0.0.1:${tcp.port}`);
  return {
    url,
    ca: certificate.cert,
    tcp,
    connection: { ...target, server: url, tls: async () => ({ ca: certificate.cert }) },
    requests: () => requests,
    answerWith: (rule) => {
      state.rule = rule;
    },
    [Symbol.asyncDispose]: async () => {
      await tcp[Symbol.asyncDispose]();
      await close();
    },
  };
}

interface TlsServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

async function startTls(
  { key, cert }: Certificate,
  target: Connection,
  decide: (request: ProxiedExchange) => FaultAnswer | undefined,
): Promise<TlsServer> {
  const link = connectionLink(target);
  const server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
    const exchange = described(request);
    const fault = decide(exchange);
    if (fault !== undefined) {
      exchange.status = fault.status;
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers }).end(fault.body ?? "");
      return;
    }
    forward(link, exchange, request, response).catch(() => response.stream?.destroy()); // the server is gone: so is the answer
  });
  server.on("sessionError", () => undefined); // resets on purpose
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    close: async () => {
      await link.close();
      server.close();
    },
  };
}

function described({ method, url }: Http2ServerRequest): ProxiedExchange {
  const isWatch = /[?&]watch=(?:true|1)/u.test(url);
  return { method, path: url, isWatch, atMs: performance.now(), status: undefined };
}

async function forward(
  link: ReturnType<typeof connectionLink>,
  exchange: ProxiedExchange,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort(new Error("the client is gone")));
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const names = ["accept", "content-type", "authorization", "user-agent"];
  const headers = Object.fromEntries(
    names.flatMap((name) => (typeof request.headers[name] === "string" ? [[name, request.headers[name]]] : [])),
  );
  const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks).toString("utf8") };
  const answer = await link.send({ method: request.method, path: request.url, headers, ...body }, gone.signal);
  exchange.status = answer.status;
  response.writeHead(answer.status, { "content-type": answer.headers["content-type"] ?? "application/json" });
  if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders();
  for await (const chunk of answer.body) response.write(chunk);
  response.end();
}
