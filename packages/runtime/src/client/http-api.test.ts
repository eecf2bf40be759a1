import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { tokenConnection } from "../connection/token-connection.ts";
import { leases } from "../kinds/cluster.ts";
import { configMaps, services } from "../kinds/core.ts";
import { DeadlineError, withDeadline } from "../support/deadline.ts";
import type { Client } from "./client.ts";
import { createClient } from "./create-client.ts";
import { type HttpApiOptions, httpApi } from "./http-api.ts";

async function clientOf(
  t: TestContext,
  options: HttpApiOptions,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Client> {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const api = httpApi(tokenConnection({ server: new URL(`http://127.0.0.1:${port}`), token: "x", ca: "" }), options);
  t.after(async () => {
    await api.close();
    server.closeAllConnections();
    server.close();
  });
  return createClient(api, { fieldManager: "test" });
}

const key = { namespace: "n", name: "m" };
const metadata = { ...key, uid: "u", resourceVersion: "5", creationTimestamp: "" };
const answer = (response: ServerResponse, object: object): unknown => response.end(JSON.stringify({ metadata, ...object }));

test("requests beyond the rate wait for their turn; a lease does not wait behind them", async (t) => {
  const arrived: string[] = [];
  const client = await clientOf(t, { requestsPerSecond: 2, burst: 2 }, (request, response) => {
    arrived.push(request.url?.includes("leases") === true ? "lease" : "map");
    answer(response, {});
  });
  const from = performance.now();
  const maps = Array.from({ length: 6 }, () => client.get(configMaps, key, t.signal));
  await client.get(leases, key, t.signal);
  await Promise.all(maps);
  const mapsMs = performance.now() - from;
  ok(arrived.indexOf("lease") < 4, `the lease waited: ${arrived.join(" ")}`);
  ok(mapsMs >= 1750, `6 requests at 2 a second, 2 at once, took ${Math.round(mapsMs)} ms`);
});

test("the caller's own deadline is told as such, not as one of the API server", async (t) => {
  const client = await clientOf(t, {}, () => undefined);
  await rejects(
    withDeadline(t.signal, 20, "the reconcile of n/m", (signal) => client.get(configMaps, key, signal)),
    (error: unknown) => error instanceof DeadlineError && error.message.startsWith("the reconcile of n/m"),
  );
});

test("an abort in the middle of an answer is an abort, not an outage", async (t) => {
  const client = await clientOf(t, {}, (_request, response) => response.write('{"metadata":'));
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("stopping")), 50);
  await rejects(client.get(configMaps, key, stop.signal), /^Error: stopping$/u);
});

const gone: readonly { name: string; metadata: object; stays: boolean; why: string }[] = [
  { name: "no deletion time", metadata: {}, stays: false, why: "Services and StorageClasses are answered so, though gone" },
  {
    name: "a grace period of 0",
    metadata: { deletionTimestamp: "t", deletionGracePeriodSeconds: 0 },
    stays: false,
    why: "a Pod that is killed",
  },
  {
    name: "a grace period",
    metadata: { deletionTimestamp: "t", deletionGracePeriodSeconds: 30 },
    stays: true,
    why: "a Pod that shuts down",
  },
  {
    name: "finalizers",
    metadata: { deletionTimestamp: "t", deletionGracePeriodSeconds: 0, finalizers: ["a"] },
    stays: true,
    why: "somebody cleans up first",
  },
  { name: "a deletion time alone", metadata: { deletionTimestamp: "t" }, stays: true, why: "a Namespace that is being emptied" },
];
for (const row of gone) {
  test(`a delete that is answered with the object: ${row.name}`, async (t) => {
    const client = await clientOf(t, {}, (_request, response) =>
      answer(response, { metadata: { ...metadata, ...row.metadata } }),
    );
    equal((await client.delete(services, key, t.signal)) !== undefined, row.stays, row.why);
  });
}

test("a subresource is asked for at its path, and its answer comes as it is", async (t) => {
  const asked: unknown[] = [];
  const client = await clientOf(t, {}, (request, response) => {
    asked.push([request.method, request.url?.split("?")[0], request.headers["content-type"]]);
    response.end('{"kind":"Scale"}');
  });
  deepEqual(await client.subresource(configMaps, key, { name: "scale", verb: "get" }, t.signal), { kind: "Scale" });
  await client.subresource(configMaps, key, { name: "scale", verb: "patch", body: { spec: { replicas: 2 } } }, t.signal);
  deepEqual(asked, [
    ["GET", "/api/v1/namespaces/n/configmaps/m/scale", undefined],
    ["PATCH", "/api/v1/namespaces/n/configmaps/m/scale", "application/merge-patch+json"],
  ]);
});
