import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import {
  createManager,
  httpApi,
  namespaces,
  persistentVolumeClaims,
  serviceAccounts,
  services,
  silentLog,
  storageClasses,
} from "../src/index.ts";
import { startApiServer } from "../src/testing/index.ts";

/** Registries answer a DELETE with a Status or the object. The watch is not held back here, so it may be what removes them. */
test("own deletes are out of the caches at once, and a namespace that is only marked stays", async ({ signal }) => {
  await using server = await startApiServer();
  await using api = httpApi(server.connection);
  const manager = createManager({ name: "deletes", api, log: silentLog });
  const { client } = manager;
  const [service, account, storage, claim, space] = [
    manager.cacheFor(services),
    manager.cacheFor(serviceAccounts),
    manager.cacheFor(storageClasses),
    manager.cacheFor(persistentVolumeClaims),
    manager.cacheFor(namespaces),
  ];
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  try {
    await Promise.all([service, account, storage, claim, space].map((cache) => cache.waitForSync(signal)));
    const key = { namespace: "default", name: "mine" };
    await client.create(services, { metadata: key, spec: { ports: [{ port: 80 }] } }, signal);
    await client.create(serviceAccounts, { metadata: key }, signal);
    await client.create(storageClasses, { metadata: { name: "mine" }, provisioner: "nobody.example" }, signal);
    const spec = { accessModes: ["ReadWriteOnce" as const], resources: { requests: { storage: "1Gi" } } };
    await client.create(persistentVolumeClaims, { metadata: key, spec }, signal);
    await client.patch(persistentVolumeClaims, key, { metadata: { finalizers: null } }, signal);
    await client.create(namespaces, { metadata: { name: "mine" } }, signal);
    for (const cache of [service, account, claim]) ok(cache.get(key), cache.resource.kind);
    ok(storage.get({ name: "mine" }));

    await client.delete(services, key, signal);
    equal(service.get(key), undefined, "Service");
    await client.delete(serviceAccounts, key, signal);
    equal(account.get(key), undefined, "ServiceAccount");
    await client.delete(storageClasses, { name: "mine" }, signal);
    equal(storage.get({ name: "mine" }), undefined, "StorageClass");
    await client.delete(persistentVolumeClaims, key, signal);
    equal(claim.get(key), undefined, "PersistentVolumeClaim");
    await client.delete(namespaces, { name: "mine" }, signal);
    ok(space.get({ name: "mine" })?.metadata.deletionTimestamp, "the namespace is marked and stays");
  } finally {
    stop.abort(new Error("over"));
    await running;
  }
});
