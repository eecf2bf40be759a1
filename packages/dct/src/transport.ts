/** The one place that speaks HTTP to DCT, and the only one that looks at a status code. */
import type { Agent, buildConnector, request } from "undici";
import { DecodeError, type Decoder } from "./decode.ts";
import { DctError, type DctErrorKind, errorOfAnswer } from "./errors.ts";

export interface TransportOptions {
  /** Scheme, host and port, without the base path. */
  readonly origin: string;
  readonly apiKey: string;
  /** The certificate authority to trust; left out: those of the system. */
  readonly caPem?: string;
  readonly timeoutSeconds: number;
  readonly connectTimeoutSeconds: number;
  /** May throw: the call is then not sent. */
  readonly beforeSend: () => void;
  /** Told of each call that was sent, however it ended. */
  readonly onCall: (ended: EndedCall) => void;
}

export interface EndedCall {
  readonly operation: string;
  /** `ok`, what went wrong, or `abandoned`: the caller gave up before the answer came. */
  readonly result: "ok" | "abandoned" | DctErrorKind;
  readonly seconds: number;
}

export interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  /** Absolute, base path included. */
  readonly path: string;
  /** The call without what it is about, for example `GET /vdbs/{id}`: few enough to count by. */
  readonly operation: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport extends AsyncDisposable {
  /**
   * One call, one answer; throws DctError, or the signal's reason when the caller gave up. No call that changes anything is repeated. One
   * that reads is, once, where the connection that it was sent on ended.
   */
  call<T>(call: Call, decode: Decoder<T>): Promise<T>;
}

interface Http {
  /** For calls that read: its connections stay open for the next. */
  readonly readers: Agent;
  /**
   * For calls that change something: each has a connection of its own. DCT, or a proxy before it, may end one that is idle just as a
   * call is sent on it, and then nobody can tell whether the call has run.
   */
  readonly changers: Agent;
  readonly request: typeof request;
  /** What a connection failed with: nothing was sent. */
  readonly isUnsent: (error: unknown) => boolean;
}

export function createTransport(options: TransportOptions): Transport {
  const { origin, apiKey, caPem, timeoutSeconds, connectTimeoutSeconds, beforeSend, onCall } = options;
  let opened: Promise<Http> | undefined;
  const open = async (): Promise<Http> => {
    const { Agent: Http1Agent, buildConnector: connector, request: send } = await import("./http1.ts");
    const unsent = new WeakSet<Error>();
    const plain = connector({ timeout: connectTimeoutSeconds * 1000, ...(caPem === undefined ? {} : { ca: caPem }) });
    const connect: buildConnector.connector = (to, callback) =>
      plain(to, (...made) => {
        if (made[0] !== null) unsent.add(made[0]);
        callback(...made);
      });
    return {
      // Below the idle limits of common proxies: a connection they dropped silently would cost a failed call.
      readers: new Http1Agent({ connect, keepAliveTimeout: 4_000 }),
      changers: new Http1Agent({ connect, pipelining: 0 }),
      request: send,
      isUnsent: (error) => error instanceof Error && unsent.has(error),
    };
  };
  const headers = { authorization: `apk ${apiKey}`, accept: "application/json", "content-type": "application/json" };

  return {
    call: async ({ method, path, operation, query, body, signal }, decode) => {
      const what = `${method} ${path}`;
      opened ??= open();
      const http = await opened;
      signal?.throwIfAborted();
      beforeSend();
      return await counted(onCall, operation, async () => {
        const deadline = AbortSignal.timeout(timeoutSeconds * 1000);
        const limits = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
        const reads = method === "GET" || path.endsWith("/search");
        const send = async (): Promise<Answer> => {
          const answer = await http.request(new URL(path, origin), {
            dispatcher: reads ? http.readers : http.changers,
            method,
            headers,
            query: { ...query },
            signal: limits,
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          return { statusCode: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
        };
        try {
          const answer = await send().catch(async (error: unknown) => {
            if (!reads || !isCutOff(error)) throw error;
            beforeSend();
            return await send();
          });
          const { statusCode, text } = answer;
          if (statusCode < 200 || statusCode > 299)
            throw errorOfAnswer(what, statusCode, headerOf(answer.headers["retry-after"]), text);
          return decodeBody(what, text, decode);
        } catch (error) {
          signal?.throwIfAborted();
          throw error instanceof DctError
            ? error
            : noAnswer(what, origin, deadline.aborted ? `no answer within ${timeoutSeconds} s` : reasonOf(error), {
                cause: error,
                unsent: http.isUnsent(error),
              });
        }
      });
    },
    [Symbol.asyncDispose]: async () => {
      const http = await opened;
      await Promise.all([http?.readers.destroy(), http?.changers.destroy()]);
    },
  };
}

async function counted<T>(onCall: TransportOptions["onCall"], operation: string, send: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const ended = (result: EndedCall["result"]): void => onCall({ operation, result, seconds: (performance.now() - from) / 1000 });
  try {
    const answer = await send();
    ended("ok");
    return answer;
  } catch (error) {
    ended(error instanceof DctError ? error.kind : "abandoned");
    throw error;
  }
}

const headerOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

function decodeBody<T>(what: string, text: string, decode: Decoder<T>): T {
  try {
    return decode(text === "" ? {} : JSON.parse(text), "answer");
  } catch (error) {
    if (error instanceof SyntaxError) throw new DctError("badAnswer", `${what}: the answer is not JSON`, { cause: error });
    if (error instanceof DecodeError) throw new DctError("badAnswer", `${what}: ${error.message}`, { cause: error });
    throw error;
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Whether the connection ended before the answer was whole. */
const isCutOff = (error: unknown): boolean =>
  error instanceof Error && "code" in error && ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(String(error.code));

const noAnswer = (what: string, origin: string, reason: string, more: { cause: unknown; unsent: boolean }): DctError =>
  new DctError("unreachable", `DCT at ${origin} does not answer (${what}): ${reason}`, more);

/** The innermost words of a network error, e.g. "connect ECONNREFUSED 127.0.0.1:1". */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error && "code" in error && error.code === "UND_ERR_CONNECT_TIMEOUT") return "the connection timed out";
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}
