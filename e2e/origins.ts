/** One loop for databases of several sources: what their manifests say. */
import { ensureNamespace, eventually, type Kubectl, text } from "@vdb/cluster";
import { applyVdb, deleteVdb, makePasswordSecret, waitForPhase } from "./vdb.ts";
import { snapshot } from "./volumes/manifests.ts";

export const origins = ["dct-source", "pvc-clone", "k8s-snapshot"] as const;
export type Origin = (typeof origins)[number];

/** The database that others of its namespace are copied from, and the VolumeSnapshot of it. */
const name = "origin";

/** Makes what databases of plain CSI are copied from: production's data, as one of a dct-source has it. */
export async function makeOrigin(kubectl: Kubectl, namespace: string): Promise<void> {
  const vdb = { name, namespace };
  await ensureNamespace(kubectl, namespace);
  await makePasswordSecret(kubectl, vdb);
  await applyVdb(kubectl, vdb);
  const ready = await waitForPhase(kubectl, vdb, "Ready");
  await kubectl.apply(JSON.stringify(snapshot(name, namespace, text(ready, "status", "pvcName"))));
  await untilReady(kubectl, { name, namespace });
}

/** The part of a manifest that says where the data comes from. */
export async function sourceOf(kubectl: Kubectl, origin: Origin, namespace: string): Promise<{ readonly source?: object }> {
  if (origin === "dct-source") return {};
  const claim = async (): Promise<string> => text(await kubectl.get("postgresvdb", name, namespace), "status", "pvcName");
  return { source: { type: origin, reference: origin === "pvc-clone" ? await claim() : name } };
}

export async function deleteOrigin(kubectl: Kubectl, namespace: string): Promise<void> {
  await kubectl.run(["delete", "volumesnapshot", name, "-n", namespace, "--ignore-not-found", "--timeout=120s"]);
  await deleteVdb(kubectl, { name, namespace });
}

/** Until a VolumeSnapshot can be used. */
export async function untilReady(kubectl: Kubectl, one: { readonly name: string; readonly namespace: string }): Promise<void> {
  await eventually(`VolumeSnapshot ${one.name} is ready`, 120, async () => {
    const found = await kubectl.get("volumesnapshot", one.name, one.namespace);
    return text(found, "status", "readyToUse") === "true" ? true : undefined;
  });
}
