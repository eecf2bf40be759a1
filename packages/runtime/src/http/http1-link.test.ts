import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type TestContext, test } from "node:test";
import { isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { httpApi } from "../client/http-api.ts";
import { tokenConnection } from "../connection/token-connection.ts";
import { configMaps } from "../kinds/core.ts";

/** A server that speaks HTTP/1.1 without TLS, as `kubectl proxy` does. */
async function clientOf(t: TestContext, listener: RequestListener, timeoutSeconds = 60): Promise<Client> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const api = httpApi(tokenConnection({ server: new URL(`http://127.0.0.1:${port}`), token: "secret", ca: "" }));
  t.after(async () => {
    await api.close();
    server.closeAllConnections();
    server.close();
  });
  return createClient(api, { fieldManager: "test", timeoutSeconds });
}

const key = { namespace: "n", name: "m" };
const meta = { ...key, uid: "u", resourceVersion: "5", creationTimestamp: "" };

test("HTTP/1.1: a request carries who we are, and its answer is read", async (t) => {
  const client = await clientOf(t, (request, response) => {
    equal(request.headers.authorization, "Bearer secret");
    equal(request.url, "/api/v1/namespaces/n/configmaps/m");
    response.end(JSON.stringify({ metadata: { ...meta, managedFields: [{}] }, data: { a: "ü" } }));
  });
  deepEqual(await client.get(configMaps, key, t.signal), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: meta,
    data: { a: "ü" },
  });
});

test("HTTP/1.1: a watch gives its events as they come, and ends with the answer", async (t) => {
  const client = await clientOf(t, (_request, response) => {
    const line = JSON.stringify({ type: "ADDED", object: { metadata: meta } });
    response.write(line.slice(0, 20));
    setTimeout(() => response.end(`${line.slice(20)}\n`), 20);
  });
  const events = await Array.fromAsync(client.watch(configMaps, { namespace: "n" }, t.signal));
  deepEqual(
    events.map(({ type }) => type),
    ["added"],
  );
});

test("HTTP/1.1: a connection that is cut in the middle of an answer is an error", async (t) => {
  const client = await clientOf(t, (_request, response) => {
    response.write('{"type":"ADDED",');
    setTimeout(() => response.socket?.resetAndDestroy(), 20);
  });
  await rejects(Array.fromAsync(client.watch(configMaps, { namespace: "n" }, t.signal)), (error: unknown) =>
    isApiError(error, "unavailable"),
  );
});

test("HTTP/1.1: a server that does not answer is given up in time; an abort ends the wait at once", async (t) => {
  const client = await clientOf(t, () => undefined, 1);
  await rejects(client.get(configMaps, key, t.signal), (error: unknown) => isApiError(error, "timeout"));
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 10);
  await rejects(client.get(configMaps, key, stop.signal), /enough/u);
});

test("HTTP/1.1: nobody listening is unavailable, and an answer that is no JSON is said", async (t) => {
  const api = httpApi(tokenConnection({ server: new URL("http://127.0.0.1:1"), token: "x", ca: "" }));
  t.after(() => api.close());
  await rejects(createClient(api, { fieldManager: "t" }).get(configMaps, key, t.signal), (error: unknown) =>
    isApiError(error, "unavailable"),
  );
  const client = await clientOf(t, (_request, response) => response.end("<html>"));
  await rejects(client.get(configMaps, key, t.signal), (error: unknown) => isApiError(error, "badAnswer"));
});
