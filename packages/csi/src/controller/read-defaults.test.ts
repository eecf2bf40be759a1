import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { configMaps, createClient } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import { readDefaults } from "./read-defaults.ts";

const where = { namespace: "delphix-storage", name: "delphix-config" };
const flags = { vdbGroupName: "Untitled", vdbStageMountpath: "/mnt/postgres", ownershipSpec: "999:999" };
const { signal } = new AbortController();

test("a key of the ConfigMap stands before its flag, from the next volume on; others, and empty ones, say nothing", async () => {
  const client = createClient(memoryApi({ takesTurns: false }), { fieldManager: "test" });
  deepEqual(await readDefaults(client, where, flags, signal), flags, "no ConfigMap");
  const data = {
    scheme: "https",
    tlsInsecureSkipVerify: "true",
    envName: " dev-env\n",
    vdbGroupName: "",
    sourceDBName: "orders",
  };
  await client.create(configMaps, { metadata: where, data }, signal);
  deepEqual(await readDefaults(client, where, flags, signal), { ...flags, envName: "dev-env", sourceDBName: "orders" });
  await client.patch(configMaps, where, { data: { sourceDBName: null, vdbGroupName: "QA" } }, signal);
  deepEqual(await readDefaults(client, where, flags, signal), { ...flags, envName: "dev-env", vdbGroupName: "QA" });
});
