import { CoreV1Api, KubeConfig, makeInformer } from "@kubernetes/client-node";
import { configMaps, createManager, httpApi, silentLog } from "../../src/index.ts";
import type { FaultProxy } from "../../src/testing/index.ts";

/** What a test sees of one informer over the ConfigMaps of one namespace. */
export interface Informer extends AsyncDisposable {
  readonly has: (name: string) => boolean;
  readonly names: () => readonly string[];
  /** Everything it told: `added a`, `deleted a`. */
  readonly told: readonly string[];
}

export async function ourInformer(proxy: FaultProxy, namespace: string): Promise<Informer> {
  const api = httpApi(proxy.connection);
  const manager = createManager({ name: "informer", api, log: silentLog });
  const cache = manager.cacheFor(configMaps, { namespace });
  const told: string[] = [];
  cache.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  await cache.waitForSync(AbortSignal.timeout(60_000));
  return {
    told,
    has: (name) => cache.get({ namespace, name }) !== undefined,
    names: () => cache.list().map(({ metadata }) => metadata.name),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      await api.close();
    },
  };
}

/** The official client's, used as its documentation shows, without the restart on errors that everybody has to write. */
export async function officialInformer(proxy: FaultProxy, namespace: string): Promise<Informer> {
  const config = new KubeConfig();
  const token = (await proxy.connection.headers())["authorization"]?.replace("Bearer ", "") ?? "";
  const cluster = { name: "c", server: proxy.url.origin, caData: Buffer.from(proxy.ca).toString("base64"), skipTLSVerify: false };
  config.loadFromOptions({
    clusters: [cluster],
    users: [{ name: "u", token }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const core = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  const present = new Set<string>();
  const told: string[] = [];
  informer.on("add", ({ metadata }) => {
    present.add(metadata?.name ?? "");
    told.push(`added ${metadata?.name}`);
  });
  informer.on("delete", ({ metadata }) => {
    present.delete(metadata?.name ?? "");
    told.push(`deleted ${metadata?.name}`);
  });
  informer.on("error", () => undefined); // nobody restarts it: that is what is compared
  await informer.start();
  return {
    told,
    has: (name) => present.has(name),
    names: () => [...present],
    [Symbol.asyncDispose]: async () => informer.stop(),
  };
}
