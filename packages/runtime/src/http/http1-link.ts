import { Agent, type Dispatcher } from "undici";
import type { TlsSettings } from "../connection/connection.ts";
import type { HttpAnswer, HttpLink, HttpRequest } from "./link.ts";

/**
 * HTTP/1.1, for servers that speak nothing better: `kubectl proxy`, load balancers that end TLS. A connection a request.
 * There is no PING here: a watch that stays silent for longer than a bookmark's minute is given up and resumed.
 */
const silenceMs = 90_000;

export interface Http1Link extends HttpLink {
  /** Lets what runs end, then closes. */
  readonly drain: () => void;
}

export function http1Link(server: URL, tls: TlsSettings | undefined): Http1Link {
  const agent = new Agent({
    allowH2: false,
    bodyTimeout: silenceMs,
    headersTimeout: silenceMs,
    connect: { timeout: 10_000, ...tls },
  });
  return {
    send: (request, signal) => dispatch(agent, server, request, signal),
    drain: () => void agent.close().catch(() => undefined), // destroyed meanwhile: closed as well
    close: () => agent.destroy(new Error("the client is closed")),
  };
}

function dispatch(agent: Agent, server: URL, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 64 });
    const writer = writable.getWriter();
    let controller: Dispatcher.DispatchController | undefined;
    const abort = (): void => controller?.abort(asError(signal.reason));
    const settle = (): void => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort, { once: true });
    const { method, path, headers, body } = request;
    agent.dispatch(
      { origin: server.origin, method: method, path, headers, ...(body === undefined ? {} : { body }) },
      {
        // Called when the request is taken from undici's own queue and is about to be written.
        onRequestStart: (started) => {
          controller = started;
          try {
            signal.throwIfAborted();
            request.beforeSend?.();
          } catch (error) {
            started.abort(asError(error));
          }
        },
        onResponseStart: (_controller, status, answered) => resolve({ status, headers: oneOfEach(answered), body: readable }),
        onResponseData: (paused, chunk) => {
          paused.pause();
          writer.ready
            .then(() => writer.write(chunk))
            .then(
              () => paused.resume(),
              (error: unknown) => paused.abort(asError(error)),
            );
        },
        onResponseEnd: () => {
          settle();
          void writer.close().catch(() => undefined); // the reader may be gone already
        },
        onResponseError: (_controller, error) => {
          settle();
          const cause: unknown = signal.aborted ? signal.reason : error;
          reject(cause);
          void writer.abort(cause).catch(() => undefined);
        },
      },
    );
  });
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function oneOfEach(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
