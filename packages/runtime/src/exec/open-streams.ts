import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { ApiError } from "../client/api-error.ts";
import { errorOfStatus } from "../client/decode-status.ts";
import type { Connection } from "../connection/connection.ts";
import { dialTcp, dialTls } from "../http/dial.ts";
import { errorMessage } from "../support/error-message.ts";
import type { ExecRequest } from "./exec.ts";

/** The one sub-protocol in which a client can close standard input; every API server since 1.30 speaks it. */
const protocol = "v5.channel.k8s.io";

export const describeExec = ({ namespace, pod, container }: ExecRequest): string =>
  `exec in pod ${namespace}/${pod}, container ${container}`;

/** Opens the WebSocket to the container. Throws ApiError saying why the API server or the kubelet refused. */
export async function openStreams(
  connection: Connection,
  request: ExecRequest,
  stdin: boolean,
  signal: AbortSignal,
): Promise<WebSocket> {
  signal.throwIfAborted();
  const { server } = connection;
  const what = describeExec(request);
  const headers = await connection.headers();
  const socket = await dial(connection, what);
  if (signal.aborted) socket.destroy();
  signal.throwIfAborted();
  try {
    request.beforeSend?.();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const url = `${server.protocol === "https:" ? "wss" : "ws"}://${server.host}${connection.pathPrefix}${pathOf(request, stdin)}`;
  // The socket is open and encrypted already: `ws` must only speak on it.
  const options = {
    headers,
    createConnection: () => socket,
    perMessageDeflate: false,
    handshakeTimeout: 30_000,
    maxPayload: 64 * 1024 * 1024,
  };
  return await accepted(new WebSocket(url, protocol, options), what, signal);
}

async function dial(connection: Connection, what: string): ReturnType<typeof dialTcp> {
  const { server } = connection;
  try {
    if (server.protocol === "http:") return await dialTcp(server);
    return await dialTls(server, await connection.tls(), ["http/1.1"]);
  } catch (cause) {
    throw new ApiError({ kind: "unavailable" }, `${what}: no answer from the API server: ${errorMessage(cause)}`, { cause });
  }
}

function pathOf({ namespace, pod, container, command }: ExecRequest, stdin: boolean): string {
  const query = new URLSearchParams({ container, stdin: String(stdin), stdout: "true", stderr: "true", tty: "false" });
  for (const word of command) query.append("command", word);
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query.toString()}`;
}

function accepted(socket: WebSocket, what: string, signal: AbortSignal): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.terminate();
      reject(signal.reason);
    };
    const settle = (): void => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("open", () => {
      settle();
      socket.pause(); // until somebody listens: no message may be missed
      resolve(socket);
    });
    socket.once("unexpected-response", (_request, answer) => {
      settle();
      refusalOf(answer, what).then(reject, reject);
    });
    socket.on("error", (cause) => {
      settle();
      reject(new ApiError({ kind: "unavailable" }, `${what}: ${cause.message}`, { cause }));
    });
  });
}

async function refusalOf(answer: IncomingMessage, what: string): Promise<ApiError> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return errorOfStatus(answer.statusCode ?? 500, answer.headers["retry-after"], bodyOf(text), what);
}

/** The kubelet and proxies answer with plain text, too. */
function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { message: text.trim().slice(0, 1000) };
  }
}
