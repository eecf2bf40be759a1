import { equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type Client,
  configMaps,
  createClient,
  createManager,
  type HttpApi,
  httpApi,
  namespaces,
  silentLog,
} from "../src/index.ts";
import { startApiServer, startFaultProxy, type TestApiServer } from "../src/testing/index.ts";

/** What the client and the cache do instead when an API server does not give what they ask for first. */

let server: TestApiServer;
let api: HttpApi;
let client: Client;

before(async () => {
  server = await startApiServer();
  api = httpApi(server.connection);
  client = createClient(api, { fieldManager: "test" });
});
after(async () => {
  await api?.close();
  await server?.[Symbol.asyncDispose]();
});

const answer = (code: number, reason: string): { readonly status: number; readonly body: string } => ({
  status: code,
  body: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: "on purpose" }),
});

for (const [code, reason] of [
  [400, "BadRequest"],
  [422, "Invalid"],
] as const) {
  test(`a server that answers ${code} to a watch of all objects is listed, then watched, and changes are seen`, async ({
    signal,
  }) => {
    const namespace = `no-watch-list-${code}`;
    await client.create(namespaces, { metadata: { name: namespace } }, signal);
    await client.create(configMaps, { metadata: { namespace, name: "before" } }, signal);
    await using proxy = await startFaultProxy(server.connection);
    proxy.answerWith(({ path }) => (path.includes("sendInitialEvents") ? answer(code, reason) : undefined));
    await using proxied = httpApi(proxy.connection);
    const manager = createManager({ name: "fallback", api: proxied, log: silentLog });
    const cache = manager.cacheFor(configMaps, { namespace });
    const told = Promise.withResolvers<string>();
    cache.subscribe((event) => {
      if (event.object.metadata.name === "after") told.resolve(event.type);
    });
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    try {
      await cache.waitForSync(AbortSignal.any([signal, AbortSignal.timeout(60_000)]));
      ok(cache.get({ namespace, name: "before" }));
      await client.create(configMaps, { metadata: { namespace, name: "after" } }, signal);
      equal(
        await Promise.race([told.promise, new Promise((resolve) => setTimeout(resolve, 60_000, "nothing in a minute").unref())]),
        "added",
      );
      const lists = proxy.requests().filter(({ isWatch, path }) => !isWatch && path.includes("/configmaps"));
      equal(lists.length, 1, "lists");
    } finally {
      stop.abort(new Error("over"));
      await running;
    }
  });
}

test("a list of which the second page is answered 410 is read anew and whole", async ({ signal }) => {
  const namespace = "expired-pages";
  await client.create(namespaces, { metadata: { name: namespace } }, signal);
  for (let from = 0; from < 520; from += 40) {
    const names = Array.from({ length: 40 }, (_, number) => `m-${from + number}`);
    await Promise.all(names.map((name) => client.create(configMaps, { metadata: { namespace, name } }, signal)));
  }
  await using proxy = await startFaultProxy(server.connection);
  let expired = 0;
  proxy.answerWith(({ path }) => {
    if (!path.includes("continue=")) return undefined;
    expired += 1;
    return answer(410, "Expired");
  });
  await using proxied = httpApi(proxy.connection);
  const { items } = await createClient(proxied, { fieldManager: "test" }).list(configMaps, { namespace }, signal);
  equal(expired, 1, "the second page was asked for once");
  equal(items.length, 520);
  equal(new Set(items.map(({ metadata }) => metadata.name)).size, 520);
});
