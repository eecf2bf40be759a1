import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type TestContext, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { ApiError, isApiError } from "../client/api-error.ts";
import type { Connection } from "../connection/connection.ts";
import { tokenConnection } from "../connection/token-connection.ts";
import { execInPod, openExec } from "./exec.ts";

/** A kubelet as far as exec goes: what it does with one connection is the test's. */
async function kubelet(
  t: TestContext,
  serve: (socket: WebSocket, url: string) => void,
  refusal?: { readonly status: number; readonly body: string },
): Promise<Connection> {
  const server = createServer().listen(0, "127.0.0.1");
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has("v5.channel.k8s.io") ? "v5.channel.k8s.io" : false),
  });
  server.on("upgrade", (request, socket, head) => {
    if (refusal !== undefined) {
      socket.end(
        `HTTP/1.1 ${refusal.status} No\r\ncontent-length: ${refusal.body.length}\r\nconnection: close\r\n\r\n${refusal.body}`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => serve(accepted, request.url ?? ""));
  });
  await once(server, "listening");
  t.after(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return tokenConnection({ server: new URL(`http://127.0.0.1:${port}`), token: "secret", ca: "" });
}

const at = { namespace: "n", pod: "p", container: "c", command: ["sh", "-c", "echo a b"] };
const say = (socket: WebSocket, channel: number, text: string | Uint8Array): void =>
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
const success = JSON.stringify({ status: "Success" });
const exit = (code: number): string =>
  JSON.stringify({
    status: "Failure",
    reason: "NonZeroExitCode",
    message: "…",
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  });

test("exec: output and exit code come back; the command arrives word by word", async (t) => {
  let asked = "";
  const connection = await kubelet(t, (socket, url) => {
    asked = url;
    say(socket, 1, "out");
    say(socket, 2, "err");
    say(socket, 3, exit(3));
  });
  deepEqual(await execInPod(connection, at, t.signal), { exitCode: 3, stdout: "out", stderr: "err", truncated: false });
  equal(
    asked,
    "/api/v1/namespaces/n/pods/p/exec?container=c&stdin=false&stdout=true&stderr=true&tty=false&command=sh&command=-c&command=echo+a+b",
  );
});

test("exec: standard input is sent and closed", async (t) => {
  const connection = await kubelet(t, (socket) => {
    const got: Buffer[] = [];
    socket.on("message", (data: Buffer) => {
      if (data[0] === 0) got.push(data.subarray(1));
      if (data[0] !== 255) return;
      say(socket, 1, Buffer.concat(got));
      say(socket, 3, success);
    });
  });
  equal((await execInPod(connection, { ...at, stdin: "hello ü" }, t.signal)).stdout, "hello ü");
});

test("exec: output beyond the limit is dropped, and said", async (t) => {
  const connection = await kubelet(t, (socket) => {
    for (let piece = 0; piece < 10; piece += 1) say(socket, 1, "0123456789");
    say(socket, 3, success);
  });
  const result = await execInPod(connection, { ...at, maxOutputBytes: 25 }, t.signal);
  deepEqual([result.stdout.length, result.truncated], [25, true]);
});

test("exec: a connection that ends before the command did is unavailable, never an exit code", async (t) => {
  const connection = await kubelet(t, (socket) => {
    say(socket, 1, "half");
    setTimeout(() => socket.terminate(), 20);
  });
  await rejects(execInPod(connection, at, t.signal), (error: unknown) => isApiError(error, "unavailable"));
});

test("exec: a refusal says why", async (t) => {
  const body = JSON.stringify({
    kind: "Status",
    status: "Failure",
    message: 'pods "p" not found',
    reason: "NotFound",
    code: 404,
  });
  const connection = await kubelet(t, () => undefined, { status: 404, body });
  await rejects(
    execInPod(connection, at, t.signal),
    (error: unknown) => isApiError(error, "notFound") && error.message.includes('pods "p" not found'),
  );
});

test("exec: an abort ends the wait with its own reason", async (t) => {
  const connection = await kubelet(t, () => undefined);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await rejects(execInPod(connection, at, stop.signal), /enough/u);
});

const refuse = (): never => {
  throw new ApiError({ kind: "fenced" }, "not the leader");
};

test("exec: what must not leave does not", async (t) => {
  let connected = 0;
  const connection = await kubelet(t, () => {
    connected += 1;
  });
  await rejects(execInPod(connection, { ...at, beforeSend: refuse }, t.signal), (error: unknown) => isApiError(error, "fenced"));
  equal(connected, 0);
});

test("exec session: what is written is answered piece by piece, a character cut in two stays whole", async (t) => {
  const connection = await kubelet(t, (socket) => {
    socket.on("message", (data: Buffer) => {
      if (data.subarray(1).toString() === "quit") say(socket, 3, success);
      else for (const byte of data.subarray(1)) say(socket, 1, Buffer.of(byte));
    });
  });
  await using session = await openExec(connection, at, t.signal);
  session.write("aü");
  let text = "";
  for await (const piece of session.stdout) {
    text += piece;
    if (text === "aü") session.write("quit");
  }
  equal(text, "aü");
  equal((await session.result).exitCode, 0);
});

test("exec session: the reader hears of a lost connection", async (t) => {
  const connection = await kubelet(t, (socket) => {
    say(socket, 1, "one");
    setTimeout(() => socket.terminate(), 20);
  });
  await using session = await openExec(connection, at, t.signal);
  await rejects(Array.fromAsync(session.stdout), (error: unknown) => isApiError(error, "unavailable"));
});

test("exec: a refusal that only looks like JSON is told as it came", async (t) => {
  const connection = await kubelet(t, () => undefined, { status: 502, body: "{upstream reset}" });
  await rejects(
    execInPod(connection, at, t.signal),
    (error: unknown) => isApiError(error, "unavailable") && error.message.includes("{upstream reset}"),
  );
});

test("exec session: a command that prints more than is read waits, and nothing is lost", async (t) => {
  const piece = "x".repeat(256 * 1024);
  const pieces = 64;
  let sent: WebSocket | undefined;
  const connection = await kubelet(t, (socket) => {
    sent = socket;
    for (let number = 0; number < pieces; number += 1) say(socket, 1, piece);
    say(socket, 3, success);
  });
  await using session = await openExec(connection, at, t.signal);
  await new Promise((resolve) => setTimeout(resolve, 300));
  ok((sent?.bufferedAmount ?? 0) > 0, "everything was read, though nobody asked for it");
  let length = 0;
  for await (const text of session.stdout) length += text.length;
  equal(length, piece.length * pieces);
  equal((await session.result).exitCode, 0);
});
