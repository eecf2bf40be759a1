import { createDctConnection } from "@vdb/dct";
import { type FakeDctOptions, type FakeWorld, fakeDct } from "@vdb/dct/testing";
import { type Client, createClient, persistentVolumeClaims } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import { KeyedLock } from "../grpc/keyed-lock.ts";

/** A Kubernetes with these claims ("namespace/name") and their annotations. */
export async function kubernetesWith(claims: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<Client> {
  const client = createClient(memoryApi({ takesTurns: false }), { fieldManager: "test" });
  const spec = { accessModes: ["ReadWriteOnce" as const], resources: { requests: { storage: "1Gi" } } };
  for (const [key, annotations] of Object.entries(claims)) {
    const [namespace = "", name = ""] = key.split("/");
    const claim = { metadata: { namespace, name, annotations }, spec };
    await client.create(persistentVolumeClaims, claim, new AbortController().signal);
  }
  return client;
}

/** One life of the driver on a DCT in memory: nothing but the world outlives it. */
export const volumesOn = (world: FakeWorld, options: FakeDctOptions, kubernetes: Client): ControllerVolumes => ({
  kubernetes,
  dct: createDctConnection({
    read: async () => ({ url: "https://dct.test", apiKey: "1.key" }),
    connect: () => fakeDct(world, options),
  }),
  defaults: async () => ({ vdbGroupName: "Untitled", vdbStageMountpath: "/mnt/postgres", ownershipSpec: "999:999" }),
  locks: new KeyedLock(),
});
