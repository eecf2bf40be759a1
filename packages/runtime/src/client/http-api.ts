import type { Connection } from "../connection/connection.ts";
import { connectionLink, type LinkTimes } from "../http/connection-link.ts";
import type { HttpAnswer, HttpLink } from "../http/link.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import { DeadlineError, withDeadline } from "../support/deadline.ts";
import { errorMessage } from "../support/error-message.ts";
import { createTokenBucket } from "../support/token-bucket.ts";
import { untilAborted } from "../support/until-aborted.ts";
import type { Api, ApiCall } from "./api.ts";
import { ApiError } from "./api-error.ts";
import { describeCall, methodOf, pathOf } from "./call-path.ts";
import { errorOfStatus } from "./decode-status.ts";
import { jsonLines } from "./json-lines.ts";

export interface HttpApiOptions {
  readonly userAgent?: string;
  /** Requests a second, watches and Leases not counted; 50, and up to 100 at once. */
  readonly requestsPerSecond?: number;
  readonly burst?: number;
  /** How long connections are used, and how soon a dead one is found; tests shorten it. */
  readonly connections?: Partial<LinkTimes>;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
}

/** The real API server. Opens connections as needed; `close` ends them. */
export interface HttpApi extends Api, AsyncDisposable {
  readonly close: () => Promise<void>;
}

export function httpApi(connection: Connection, options: HttpApiOptions = {}): HttpApi {
  const link = connectionLink(connection, options.connections);
  const bucket = createTokenBucket(options.requestsPerSecond ?? 50, options.burst ?? 100, options.clock ?? systemClock);
  const sender: Sender = {
    link,
    connection,
    userAgent: options.userAgent ?? "kube-runtime",
    count: requestCounter(options.metrics, connection),
  };
  return {
    call: (call, signal) =>
      withCallDeadline(call, signal, async (bounded) => {
        if (!isLease(call)) await bucket.take(bounded);
        return readJson(await accepted(sender, call, bounded), call, bounded);
      }),
    watch: (call, signal) => openWatch(sender, call, signal),
    close: link.close,
    [Symbol.asyncDispose]: link.close,
  };
}

/** A renewal that waits behind a burst of other requests would cost the leadership. */
const isLease = ({ resource }: ApiCall): boolean => resource.group === "coordination.k8s.io" && resource.plural === "leases";

interface Sender {
  readonly link: HttpLink;
  readonly connection: Connection;
  readonly userAgent: string;
  readonly count: (call: ApiCall, code: string) => void;
}

/** Sends, and turns every way of not getting a 2xx into an ApiError. */
async function accepted(sender: Sender, call: ApiCall, signal: AbortSignal): Promise<HttpAnswer> {
  const answer = await sent(sender, call, signal);
  sender.count(call, String(answer.status));
  if (answer.status >= 200 && answer.status < 300) return answer;
  const text = await textOf(answer, call, signal);
  throw errorOfStatus(answer.status, answer.headers["retry-after"], parseOr(text, undefined), describeCall(call));
}

async function sent(sender: Sender, call: ApiCall, signal: AbortSignal): Promise<HttpAnswer> {
  const { connection, userAgent, link } = sender;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  try {
    const headers = {
      accept: acceptOf(call),
      "user-agent": userAgent,
      ...(body === undefined
        ? {}
        : { "content-type": call.contentType ?? "application/json", "content-length": String(Buffer.byteLength(body)) }),
      ...(await untilAborted(connection.headers(), signal)),
    };
    const path = pathOf(call, connection.pathPrefix);
    const gate = call.beforeSend === undefined ? {} : { beforeSend: call.beforeSend };
    return await link.send(
      { method: methodOf(call.verb), path, headers, ...(body === undefined ? {} : { body }), ...gate },
      signal,
    );
  } catch (error) {
    if (error instanceof ApiError || signal.aborted || error instanceof TypeError) throw error;
    sender.count(call, "<error>");
    throw unreachable(call, error);
  }
}

const unreachable = (call: ApiCall, cause: unknown): ApiError =>
  new ApiError({ kind: "unavailable" }, `${describeCall(call)}: no answer from the API server: ${errorMessage(cause)}`, {
    cause,
  });

function acceptOf({ metadataOnly, verb }: ApiCall): string {
  if (metadataOnly !== true) return "application/json";
  const kind = verb === "list" ? "PartialObjectMetadataList" : "PartialObjectMetadata";
  return `application/json;as=${kind};g=meta.k8s.io;v=v1`;
}

async function withCallDeadline<T>(call: ApiCall, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await withDeadline(signal, call.timeoutSeconds * 1000, describeCall(call), work);
  } catch (error) {
    // The caller's own deadline is the caller's to tell.
    if (error instanceof DeadlineError && !signal.aborted) throw new ApiError({ kind: "timeout" }, error.message);
    throw error;
  }
}

/** The opening is bounded by the call's timeout, the watch itself by the signal and the API server alone. */
async function openWatch(sender: Sender, call: ApiCall, signal: AbortSignal): Promise<AsyncIterable<unknown>> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  const unfollow = (): void => signal.removeEventListener("abort", follow);
  const late = new ApiError({ kind: "timeout" }, `${describeCall(call)}: not accepted within ${call.timeoutSeconds} s`);
  const timer = setTimeout(() => controller.abort(late), call.timeoutSeconds * 1000);
  try {
    return framesOf(await accepted(sender, call, controller.signal), call, controller.signal, unfollow);
  } catch (error) {
    unfollow();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function* framesOf(answer: HttpAnswer, call: ApiCall, signal: AbortSignal, onEnd: () => void): AsyncGenerator {
  try {
    yield* jsonLines(answer.body);
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw unreachable(call, error);
  } finally {
    onEnd();
  }
}

async function readJson(answer: HttpAnswer, call: ApiCall, signal: AbortSignal): Promise<unknown> {
  const text = await textOf(answer, call, signal);
  const value = parseOr(text, notJson);
  if (value !== notJson) return value;
  throw new ApiError({ kind: "badAnswer" }, `${describeCall(call)}: the answer is not JSON`, { status: answer.status });
}

async function textOf(answer: HttpAnswer, call: ApiCall, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of answer.body) chunks.push(chunk);
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw unreachable(call, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const notJson = Symbol("not JSON");

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return otherwise;
  }
}

function requestCounter(metrics: Metrics | undefined, { server }: Connection): (call: ApiCall, code: string) => void {
  const help = "Number of HTTP requests, partitioned by status code, method, and host.";
  const counter = metrics?.counter("rest_client_requests_total", help, ["code", "host", "method"]);
  return ({ verb }, code) => counter?.inc({ code, host: server.host, method: methodOf(verb) });
}
