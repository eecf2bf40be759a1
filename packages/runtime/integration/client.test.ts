import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inClusterConnection } from "../src/connection/in-cluster.ts";
import {
  type ApiErrorKind,
  type Client,
  configMaps,
  createClient,
  createManager,
  customResourceDefinitions,
  type HttpApi,
  httpApi,
  isApiError,
  loadConnection,
  namespaces,
  secrets,
  services,
  silentLog,
} from "../src/index.ts";
import { startApiServer, type TestApiServer } from "../src/testing/index.ts";
import { widgetDefinition, widgets } from "../src/testing/widget.ts";
import { untilServed } from "./testing/until-served.ts";

/** What only a real API server can show: server-side apply, validation, RBAC, credentials. */

let server: TestApiServer;
let api: HttpApi;
let client: Client;

before(async () => {
  server = await startApiServer({ users: [{ name: "nobody" }] });
  api = httpApi(server.connection);
  client = createClient(api, { fieldManager: "test" });
  await client.create(customResourceDefinitions, widgetDefinition, AbortSignal.timeout(60_000));
  await untilServed(client);
});
after(async () => {
  await api?.close();
  await server?.[Symbol.asyncDispose]();
});

const refused = (kind: ApiErrorKind, attempt: Promise<unknown>): Promise<void> =>
  rejects(attempt, (error: unknown) => isApiError(error, kind));
const at = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace: "default", name });

test("server-side apply: creates, changes, takes back what is no longer mentioned, and leaves other managers' fields alone", async ({
  signal,
}) => {
  const options = { fieldManager: "one", force: false };
  await client.apply(configMaps, { metadata: at("ssa"), data: { a: "1", b: "1" } }, options, signal);
  await client.apply(configMaps, { metadata: at("ssa"), data: { c: "2" } }, { fieldManager: "two", force: false }, signal);
  const applied = await client.apply(configMaps, { metadata: at("ssa"), data: { a: "2" } }, options, signal);
  deepEqual(applied.data, { a: "2", c: "2" });
  const again = await client.apply(configMaps, { metadata: at("ssa"), data: { a: "2" } }, options, signal);
  equal(again.metadata.resourceVersion, applied.metadata.resourceVersion, "the same apply made a version");
});

test("server-side apply: another manager's field is a conflict, and ours with force", async ({ signal }) => {
  await client.apply(configMaps, { metadata: at("force"), data: { a: "1" } }, { fieldManager: "one", force: false }, signal);
  await refused(
    "conflict",
    client.apply(configMaps, { metadata: at("force"), data: { a: "2" } }, { fieldManager: "two", force: false }, signal),
  );
  const forced = await client.apply(
    configMaps,
    { metadata: at("force"), data: { a: "2" } },
    { fieldManager: "two", force: true },
    signal,
  );
  equal(forced.data?.["a"], "2");
});

test("status apply writes status alone", async ({ signal }) => {
  await client.create(widgets, { metadata: at("status"), spec: { size: 1 } }, signal);
  const applied = await client.applyStatus(
    widgets,
    { metadata: at("status"), status: { copies: 4 } },
    { fieldManager: "one", force: true },
    signal,
  );
  deepEqual([applied.spec.size, applied.status?.copies, applied.metadata.generation], [1, 4, 1]);
});

test("a refused object names its fields", async ({ signal }) => {
  const wrong = client.create(
    services,
    { metadata: at("wrong"), spec: { ports: [{ port: 99_999 }, { port: 80, protocol: "TCP" }] } },
    signal,
  );
  await rejects(
    wrong,
    (error: unknown) => isApiError(error, "invalid") && error.causes.some(({ field }) => field === "spec.ports[0].port"),
  );
});

test("a dry run stores nothing", async ({ signal }) => {
  const made = await client.create(configMaps, { metadata: at("dry"), data: { a: "1" } }, signal, { dryRun: true });
  equal(made.data?.["a"], "1");
  equal(await client.find(configMaps, at("dry"), signal), undefined);
});

test("what RBAC does not allow is forbidden, and a wrong token unauthorized", async ({ signal }) => {
  await using asNobody = httpApi(server.connectionAs("nobody"));
  await refused("forbidden", createClient(asNobody, { fieldManager: "test" }).list(secrets, {}, signal));
  await using asWrong = httpApi({ ...server.connection, headers: async () => ({ authorization: "Bearer wrong" }) });
  await refused("unauthorized", createClient(asWrong, { fieldManager: "test" }).list(secrets, {}, signal));
});

test("a list of more than one page is whole", async ({ signal }) => {
  await client.create(namespaces, { metadata: { name: "pages" } }, signal);
  const numbers = Array.from({ length: 520 }, (_, number) => number);
  for (let from = 0; from < numbers.length; from += 40) {
    await Promise.all(
      numbers
        .slice(from, from + 40)
        .map((number) => client.create(configMaps, { metadata: { namespace: "pages", name: `m-${number}` } }, signal)),
    );
  }
  const { items } = await client.list(configMaps, { namespace: "pages" }, signal);
  equal(new Set(items.map(({ metadata }) => metadata.name)).size, 520);
});

test("120 watches at once, beyond what one HTTP/2 connection takes, all live", async ({ signal }) => {
  const stop = new AbortController();
  const seen = new Set<number>();
  const watch = async (number: number): Promise<void> => {
    for await (const event of client.watch(
      configMaps,
      { namespace: "default", fieldSelector: `metadata.name=many-${number}`, sendInitialEvents: true },
      stop.signal,
    )) {
      if (event.type === "added") seen.add(number);
    }
  };
  const watches = Array.from({ length: 120 }, (_, number) => watch(number).catch(() => undefined));
  for (let number = 0; number < 120; number += 1) await client.create(configMaps, { metadata: at(`many-${number}`) }, signal);
  const untilMs = performance.now() + 120_000;
  while (seen.size < 120 && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort(new Error("over"));
  await Promise.all(watches);
  equal(seen.size, 120);
});

test("a metadata-only cache and a full one of the same resource stand side by side; own writes are in both at once", async ({
  signal,
}) => {
  const manager = createManager({ name: "caches", api, log: silentLog });
  const full = manager.cacheFor(secrets, { namespace: "default", labelSelector: "who=me" });
  const only = manager.cacheFor(secrets, { namespace: "default", metadataOnly: true });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  await Promise.all([full.waitForSync(signal), only.waitForSync(signal)]);
  const key = at("side-by-side");
  await manager.client.create(secrets, { metadata: { ...key, labels: { who: "me" } }, stringData: { a: "b" } }, signal);
  deepEqual(
    [full.get(key)?.data, Object.keys(only.get(key) ?? {}).toSorted()],
    [{ a: "Yg==" }, ["apiVersion", "kind", "metadata"]],
  );
  await manager.client.patch(secrets, key, { metadata: { labels: { who: "you" } } }, signal);
  deepEqual([full.get(key), only.get(key)?.metadata.labels], [undefined, { who: "you" }]);
  await manager.client.delete(secrets, key, signal);
  equal(only.get(key), undefined);
  stop.abort(new Error("over"));
  await running;
});

test("a kubeconfig, and a pod's rotating token, are ways in", async (t) => {
  const { signal } = t;
  await using byFile = httpApi(await loadConnection({ kubeconfig: server.kubeconfig }));
  ok((await createClient(byFile, { fieldManager: "test" }).list(namespaces, {}, signal)).items.length > 0);

  const folder = await mkdtemp(join(tmpdir(), "account-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const token = (await server.connection.headers())["authorization"]?.replace("Bearer ", "") ?? "";
  const { ca } = await server.connection.tls();
  await writeFile(join(folder, "ca.crt"), String(ca));
  await writeFile(join(folder, "namespace"), "team-a\n");
  await writeFile(join(folder, "token"), "stale");
  const connection = await inClusterConnection({ host: "127.0.0.1", port: server.url.port, folder, tokenAgeMs: 0 });
  ok(connection !== undefined);
  equal(connection.namespace, "team-a");
  await using inPod = httpApi(connection);
  const podClient = createClient(inPod, { fieldManager: "test" });
  await refused("unauthorized", podClient.list(namespaces, {}, signal));
  await writeFile(join(folder, "token"), token);
  ok((await podClient.list(namespaces, {}, signal)).items.length > 0, "the rotated token was not taken up");
});

test("a kubeconfig that leads nowhere says what was tried", async () => {
  await rejects(
    loadConnection({ kubeconfig: "/nonexistent/kubeconfig" }),
    /no way to reach an API server was found \(tried: \/nonexistent\/kubeconfig\)/u,
  );
});
