import type { RawData, WebSocket } from "ws";
import { ApiError } from "../client/api-error.ts";
import { errorMessage } from "../support/error-message.ts";
import { keepHead } from "./bounded-text.ts";
import type { ExecRequest, ExecResult, ExecSession } from "./exec.ts";
import { exitOf } from "./exit-status.ts";
import { describeExec } from "./open-streams.ts";
import { createTextPipe } from "./text-pipe.ts";

/** The first byte of each message says which stream it belongs to. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

const defaultMaxBytes = 1024 * 1024;
/** A connection that does not answer two pings is given up. */
const pingMs = 10_000;
/** Characters of stdout that wait for their reader; with more, the command waits, as at a pipe. */
const mostUnread = 1024 * 1024;

/** Speaks the protocol on an open socket. `forward`: stdout is also handed out as it comes. */
export function startSession(
  socket: WebSocket,
  request: ExecRequest,
  { forward }: { readonly forward: boolean },
  signal: AbortSignal,
): ExecSession {
  const what = describeExec(request);
  const limit = request.maxOutputBytes ?? defaultMaxBytes;
  const [out, err] = [keepHead(limit), keepHead(limit)];
  const state = { unanswered: 0, over: false, full: false };
  const pipe = createTextPipe(mostUnread, (full) => {
    state.full = full;
    if (full) socket.pause();
    else socket.resume();
  });
  const ended = Promise.withResolvers<ExecResult>();
  ended.promise.catch(() => undefined); // whoever reads only stdout hears of it there

  const finish = (settle: () => void, error?: unknown): void => {
    if (state.over) return;
    state.over = true;
    clearInterval(heart);
    signal.removeEventListener("abort", abort);
    pipe.end(error);
    settle();
    socket.close();
    setTimeout(() => socket.terminate(), 1000).unref(); // a peer that does not answer the close
  };
  const fail = (error: unknown): void => finish(() => ended.reject(error), error);
  const abort = (): void => {
    fail(signal.reason);
    socket.terminate();
  };
  const onMessage = (data: RawData): void => {
    const bytes = asBuffer(data);
    const payload = bytes.subarray(1);
    switch (bytes[0] ?? channel.close) {
      case channel.stdout:
        out.add(payload);
        if (forward) pipe.add(payload);
        break;
      case channel.stderr:
        err.add(payload);
        break;
      case channel.status:
        try {
          const exitCode = exitOf(payload.toString("utf8"), what);
          finish(() =>
            ended.resolve({ exitCode, stdout: out.text(), stderr: err.text(), truncated: out.truncated() || err.truncated() }),
          );
        } catch (error) {
          fail(error);
        }
        break;
      default: // a stream's end: the status follows
    }
  };
  const heart = setInterval(() => {
    state.unanswered = state.full ? 0 : state.unanswered + 1; // while we do not read, no answer is read either
    if (state.unanswered > 2) return fail(new ApiError({ kind: "unavailable" }, `${what}: the connection went silent`));
    socket.ping();
  }, pingMs).unref();

  socket.on("pong", () => {
    state.unanswered = 0;
  });
  socket.on("message", onMessage);
  socket.on("error", (cause) => fail(new ApiError({ kind: "unavailable" }, `${what}: ${errorMessage(cause)}`, { cause })));
  socket.on("close", () => fail(new ApiError({ kind: "unavailable" }, `${what}: the connection ended before the command did`)));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  else socket.resume();

  return {
    write: (text) => socket.send(Buffer.concat([Buffer.of(channel.stdin), Buffer.from(text)])),
    closeStdin: () => socket.send(Buffer.of(channel.close, channel.stdin)),
    stdout: pipe.read(),
    result: ended.promise,
    [Symbol.asyncDispose]: async () => fail(new Error(`${what}: closed by us before the command ended`)),
  };
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
