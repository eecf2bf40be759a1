import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { TLSSocket } from "node:tls";
import { DeadlineError } from "../support/deadline.ts";
import type { HttpAnswer, HttpRequest } from "./link.ts";

/**
 * Detecting a dead peer: a timer looks every 5 s. No byte since the last look: a PING is sent. No byte at two further looks:
 * the connection is given up, so 10 to 20 s after it went dead. Looks are counted, not seconds: a process that was stopped
 * for a minute must first read what lies in its socket.
 */
export const defaultLookMs = 5000;
const looksWithoutAnswer = 2;
/** Watches of large objects share one connection: a small window would let one slow reader stop the others. */
const streamWindowBytes = 4 * 1024 * 1024;
const connectionWindowBytes = 64 * 1024 * 1024;
const maxStreams = 100;

/** One HTTP/2 connection. When it ends, all its streams end with the error that ended it. It is watched until then. */
export interface Http2Session {
  /** Whether a further request may go on it. */
  readonly usable: () => boolean;
  readonly send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;
  /** Takes nothing new, lets what runs end, then closes. */
  readonly drain: () => void;
  readonly destroy: (reason: Error) => void;
}

/** `onClose` is called once, when nothing runs on it any more. */
export function startHttp2Session(socket: TLSSocket, server: URL, lookMs: number, onClose: () => void): Http2Session {
  const session = connect(server, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    maxSessionMemory: 256,
  });
  const state = { open: 0, retired: false };
  session.once("connect", () => session.setLocalWindowSize(connectionWindowBytes));
  const watchdog = startWatchdog(session, socket, lookMs);
  const retire = (): void => {
    state.retired = true;
  };
  session.on("error", retire); // the streams get the error too, and report it
  session.on("goaway", retire); // no new requests here; the running ones go on until the server closes
  session.once("close", () => {
    retire();
    clearInterval(watchdog); // not before: what still runs on a retired connection must hear when it goes dead
    onClose();
  });
  const usable = (): boolean => !state.retired && !session.closed && !session.destroyed && state.open < limitOf(session);
  const drain = (): void => {
    retire();
    session.close();
  };
  return {
    usable,
    send: (request, signal) => {
      state.open += 1;
      session.ref();
      const sentAt = socket.bytesRead;
      // The next try must not be lost in the same silence, for the 20 s until the PING finds it.
      const leaveSilence = (): void => {
        if (signal.reason instanceof DeadlineError && socket.bytesRead === sentAt) drain();
      };
      signal.addEventListener("abort", leaveSilence, { once: true });
      const onClosed = (): void => {
        signal.removeEventListener("abort", leaveSilence);
        state.open -= 1;
        if (state.open === 0) session.unref(); // an idle connection must not keep a program from ending
      };
      return sendOn(session, server, request, signal, onClosed);
    },
    drain,
    destroy: (reason) => {
      retire();
      session.destroy(reason);
    },
  };
}

const limitOf = (session: ClientHttp2Session): number =>
  Math.min(maxStreams, session.remoteSettings?.maxConcurrentStreams ?? maxStreams);

function startWatchdog(session: ClientHttp2Session, socket: TLSSocket, lookMs: number): NodeJS.Timeout {
  const state = { bytes: -1, unanswered: -1 };
  const look = (): void => {
    if (socket.bytesRead !== state.bytes) {
      state.bytes = socket.bytesRead;
      state.unanswered = -1;
      return;
    }
    state.unanswered += 1;
    if (state.unanswered === 0) session.ping(() => undefined); // its answer is bytes
    if (state.unanswered >= looksWithoutAnswer)
      session.destroy(new Error("the API server did not answer a PING: connection given up"));
  };
  return setInterval(() => !session.destroyed && look(), lookMs).unref();
}

function sendOn(
  session: ClientHttp2Session,
  server: URL,
  request: HttpRequest,
  signal: AbortSignal,
  onClose: () => void,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream;
    try {
      signal.throwIfAborted();
      request.beforeSend?.();
      stream = session.request(pseudoHeaders(server, request), { endStream: request.body === undefined });
    } catch (error) {
      onClose();
      reject(error);
      return;
    }
    const abort = (): void => {
      reject(signal.reason);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    signal.addEventListener("abort", abort, { once: true });
    stream.on("error", reject); // after the answer began, its body reports it
    stream.once("close", () => {
      signal.removeEventListener("abort", abort);
      onClose();
      reject(new Error("the connection to the API server ended before it answered"));
    });
    stream.once("response", (headers) =>
      resolve({ status: headers[":status"] ?? 0, headers: oneOfEach(headers), body: bodyOf(stream, signal) }),
    );
    if (request.body !== undefined) stream.end(request.body);
  });
}

const pseudoHeaders = (server: URL, { method, path, headers }: HttpRequest): Record<string, string> => ({
  ":method": method,
  ":path": path,
  ":authority": server.host,
  ":scheme": "https",
  ...headers,
});

function oneOfEach(
  headers: Readonly<Record<string, string | number | string[] | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value?.toString()]),
  );
}

async function* bodyOf(stream: ClientHttp2Stream, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let finished = false;
  stream.once("end", () => {
    finished = true;
  });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    signal.throwIfAborted(); // the caller's own reason says more than the reset stream
    throw error;
  } finally {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
  signal.throwIfAborted();
  // A stream that was reset without an error code ends its iterator quietly: half an answer must not look like a whole one.
  if (!finished) throw new Error("the connection to the API server ended in the middle of an answer");
}
